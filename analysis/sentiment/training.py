"""A chain's own weights: fitted on its labelled comments on top of the shipped ones, and judged by time.

**Judging** is by rolling origin. The comments stand in the order of time and are cut into five blocks. Weights fitted
on the first k blocks read block k + 1, for k = 1..4: every comment after the first block is read by weights that knew
nothing but earlier comments. How far weights may go from the shipped ones is chosen the same way: before block k + 1
is read, the penalty is the one whose weights had the lowest log loss on the blocks 2..k, each read by weights fitted on
what came before it; for the first fold it is fixed. No figure is told of a comment that had a part in fitting or
choosing what read it. What is kept is fitted on all blocks, with the penalty that did best on the last four.

**Fitting** lets each label weigh the same on the whole: how a text reads is not to depend on how content a chain's
customers are. A label that is never given, as "neutral" is not by four smileys, keeps the chance that the shipped
weights give it; both models are judged by the labels that are given.

**Better** is the new model only where, on the comments that the old one was not fitted with, the lower end of the
99 % interval of its gain is above 0 (`judging.gain`), and neither its share right nor its log loss is worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from analysis.metrics import Estimate
from analysis.sentiment import blend
from analysis.sentiment.judging import Figures, figures, gain, log_loss
from analysis.sentiment.logistic import fit, probabilities
from analysis.sentiment.scoring import features

LEAST = 200
"""Examples without which nothing is fitted, and of how many a label needs to be among them."""
LEAST_OF_LABEL = 30
LEAST_LABELS = 2
LEAST_JUDGED = 100
"""Comments that the model in use was not fitted with, without which it stays."""
MOST = 20_000
"""The newest examples that are read: 42 MB of features, about 300 MB while fitting."""
BLOCKS = 5
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
FIRST_PENALTY = 10.0
MOST_BALANCING = 5.0
"""How much more an example of a rare label may count than one on average."""
SLICE = 200

Progress = Callable[[int], None]
Verdict = Literal["better", "no_gain", "less_right", "less_calibrated", "too_few_new"]


@dataclass(frozen=True, slots=True)
class Example:
    """A comment with its label, "neg", "neu" or "pos", and how much that counts.

    `seen` says that the model in use was fitted with it.
    """

    text: str
    label: str
    weight: float
    occurred_at: datetime
    language: str
    seen: bool = False


@dataclass(frozen=True)
class TooFew:
    """What is there where it is not enough: examples in all, and of each label."""

    examples: int
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Compared:
    """The old model against the new on the same comments of a language; None: of all."""

    language: str | None
    n: int
    old: Figures
    new: Figures


@dataclass(frozen=True)
class Trained:
    """A chain's own weights, and how they do beside the model in use; `compared` begins with all languages."""

    weights: np.ndarray
    penalty: float
    examples: int
    weighty: int
    """Examples that count more than once: those that staff labelled."""
    labels: Mapping[str, int]
    compared: tuple[Compared, ...]
    gain: Estimate
    verdict: Verdict

    @property
    def better(self) -> bool:
        """Say whether the new weights are to take the place of the old."""
        return self.verdict == "better"


def silent(_step: int) -> None:
    """Show no progress."""


def steps(examples: int) -> int:
    """Return what a progress bar has to reach: each example is read once, and judged or fitted once."""
    return 2 * min(examples, MOST)


def train(examples: Iterable[Example], progress: Progress = silent, old: np.ndarray | None = None) -> Trained | TooFew:
    """Fit weights on the newest examples and judge them beside the `old` ones (None: the shipped).

    Returns what is there where that is fewer than LEAST, or fewer than LEAST_OF_LABEL of two labels. Examples of a
    label below that are left out. The same examples give the same weights and figures, whatever their order.
    """
    newest = sorted(examples, key=lambda one: (one.occurred_at, one.text, one.label, one.weight))[-MOST:]
    labels = Counter(one.label for one in newest)
    given = [label for label in blend.CLASSES if labels[label] >= LEAST_OF_LABEL]
    usable = [one for one in newest if one.label in given]
    if len(usable) < LEAST or len(given) < LEAST_LABELS:
        return TooFew(len(newest), {label: labels[label] for label in blend.CLASSES})
    rows = np.vstack([_read(usable[at : at + SLICE], progress) for at in range(0, len(usable), SLICE)])
    progress(2 * (len(newest) - len(usable)))
    return fitted(rows, usable, progress, old)


def _read(examples: Sequence[Example], progress: Progress) -> np.ndarray:
    rows = features([one.text for one in examples], [one.language for one in examples])
    progress(len(examples))
    return rows


def fitted(
    rows: np.ndarray, examples: Sequence[Example], progress: Progress = silent, old: np.ndarray | None = None
) -> Trained:
    """Return what `train` does, of examples in the order of time with their features, shape (examples, features)."""
    data = _Data(rows, examples)
    starts = [int(block[0]) for block in np.array_split(np.arange(len(examples)), BLOCKS)]
    new, penalty, near = _validate(data, starts, progress)
    weights = data.fit(len(examples), penalty, near)
    progress(starts[1])
    unseen = np.array([not one.seen for one in examples])
    unseen[: starts[1]] = False
    before = data.chances(slice(None), blend.shipped() if old is None else old)[unseen]
    after = new[unseen[starts[1] :]]
    truth, counts = data.truth[unseen], data.counts[unseen]
    spoken = np.array([one.language for one in examples])[unseen]
    compared = _compare(before, after, truth, counts, spoken)
    gained = gain(before, after, truth, counts) if len(truth) else Estimate(None, None, None, 0)
    return Trained(
        weights.astype(np.float32),
        penalty,
        len(examples),
        sum(one.weight > 1 for one in examples),
        {label: sum(one.label == label for one in examples) for label in blend.CLASSES},
        compared,
        gained,
        _verdict(compared, gained),
    )


class _Data:
    """Examples in the order of time as the fitting and the judging see them."""

    def __init__(self, rows: np.ndarray, examples: Sequence[Example]) -> None:
        self.rows = rows
        self.counts = np.array([one.weight for one in examples], dtype=float)
        classes = np.array([blend.CLASSES.index(one.label) for one in examples])
        self._given, self.truth = np.unique(classes, return_inverse=True)
        self._classes = classes
        self._shipped = probabilities(rows, blend.shipped())

    def chances(self, part: slice, weights: np.ndarray) -> np.ndarray:
        """Return the chances of the labels that are given, shape (comments, labels), by some weights."""
        among = probabilities(self.rows[part], weights)[:, self._given]
        chances: np.ndarray = among / among.sum(axis=1, keepdims=True)
        return chances

    def balanced(self, part: slice) -> np.ndarray:
        """Return how much each comment counts where every label weighs the same on the whole, within bounds."""
        counts, classes = self.counts[part], self._classes[part]
        sums = np.bincount(classes, counts, minlength=len(blend.CLASSES))
        fair = counts.sum() / (sums > 0).sum() / np.maximum(sums, 1e-12)
        return counts * np.minimum(fair, MOST_BALANCING)[classes]

    def fit(self, end: int, penalty: float, near: np.ndarray) -> np.ndarray:
        """Return the weights that the first `end` comments teach; the search begins from those that are near."""
        past = slice(0, end)
        classes = self._classes[past]
        wanted = self._shipped[past].copy()
        wanted[:, np.unique(classes)] = 0.0
        wanted[np.arange(end), classes] = 1.0 - wanted.sum(axis=1)
        return fit(self.rows[past], wanted, self.balanced(past), penalty, blend.shipped(), near=near)


def _validate(data: _Data, starts: Sequence[int], progress: Progress) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the chances of all comments after the first block, read as they came.

    Beside them the penalty that did best, and the weights that all blocks but the last taught with it.
    """
    losses = np.zeros(len(PENALTIES))
    taught = [blend.shipped() for _ in PENALTIES]
    chosen = PENALTIES.index(FIRST_PENALTY)
    found = []
    for start, end in zip(starts[1:], [*starts[2:], len(data.truth)], strict=True):
        block = slice(start, end)
        taught = [data.fit(start, penalty, near) for penalty, near in zip(PENALTIES, taught, strict=True)]
        tried = [data.chances(block, weights) for weights in taught]
        found.append(tried[chosen])
        counts = data.balanced(block)
        losses += [log_loss(chances, data.truth[block], counts) * (end - start) for chances in tried]
        chosen = int(losses.argmin())
        progress(end - start)
    return np.vstack(found), PENALTIES[chosen], taught[chosen]


def _compare(
    before: np.ndarray, after: np.ndarray, truth: np.ndarray, counts: np.ndarray, spoken: np.ndarray
) -> tuple[Compared, ...]:
    found = []
    for language in (None, *sorted(set(spoken.tolist()))):
        own = np.ones(len(truth), dtype=bool) if language is None else spoken == language
        if own.any():
            old, new = (figures(chances[own], truth[own], counts[own]) for chances in (before, after))
            found.append(Compared(language, int(own.sum()), old, new))
    return tuple(found)


def _verdict(compared: Sequence[Compared], gained: Estimate) -> Verdict:
    if gained.n < LEAST_JUDGED or gained.low is None:
        return "too_few_new"
    old, new = compared[0].old, compared[0].new
    if gained.low <= 0:
        return "no_gain"
    if (new.right.value or 0.0) < (old.right.value or 0.0):
        return "less_right"
    return "better" if new.log_loss <= old.log_loss else "less_calibrated"
