"""Which weights this process scores with: those that come with the product, or a chain's own on top of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Scorer:
    """Weights and their version belong together: whoever scores takes both from one Scorer."""

    own: np.ndarray | None = None
    version: int | None = None
    leans: dict[str, float] = field(default_factory=dict, compare=False, repr=False)
    """How far single words lean when read alone, as far as that was asked."""

    def weights(self) -> np.ndarray:
        """Return the weights, shape (features + 1, classes)."""
        from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

        return blend.shipped() if self.own is None else self.own

    def clause_weights(self) -> np.ndarray:
        """Return the weights of clauses: what the chain taught of texts is added for the clause's own features."""
        from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

        if self.own is None:
            return blend.of_clauses()
        weights = blend.of_clauses().copy()
        taught = self.own - blend.shipped()
        weights[: blend.FEATURES] += taught[:-1]
        weights[-1] += taught[-1]
        return weights

    def name(self, language: str, shipped: str) -> str:
        """Return the model's "name/version" for texts in a language; `shipped` is the name of the shipped one."""
        return shipped if self.own is None else f"chain-{language}/{self.version}"


SHIPPED = Scorer()
_scorer = SHIPPED


def use(weights: np.ndarray | None, version: int | None = None) -> None:
    """Score with a chain's own weights from now on, in all threads of this process; None: with the shipped ones.

    Raises ValueError for weights of another shape than the shipped ones, and for such as are no numbers.
    """
    global _scorer  # one name bound to one object: a thread sees the former or the new, never a mixture
    if weights is None:
        _scorer = SHIPPED
        return
    if weights is _scorer.own and version == _scorer.version:
        return
    check_weights(weights)
    _scorer = Scorer(weights, version)


def check_weights(weights: np.ndarray) -> None:
    """Raise ValueError unless these can stand in the place of the shipped weights."""
    import numpy as np  # noqa: PLC0415  (start-up time)

    from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

    if weights.shape != blend.shipped().shape or not np.isfinite(weights).all():
        raise ValueError(f"weights of shape {weights.shape} do not fit")


def scorer() -> Scorer:
    """Return what texts are scored with at this moment."""
    return _scorer
