"""What charts are drawn from: finished numbers, words and addresses, none of which needs matplotlib to be loaded.

All of it can be sent to another process as long as the formatters in `Words` can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.metrics import SMALL_GROUP, Estimate

Width = Literal["wide", "narrow"]


@dataclass(frozen=True, slots=True)
class Link:
    """Where a mark leads and what it is called."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Words:
    """Formatters and words of one language: of a value, of an n, "too few to say", "the period before"."""

    number: Callable[[float], str]
    count: Callable[[int], str]
    too_few: str
    before: str = ""

    def size(self, n: int) -> str:
        """Return n as it stands beside a figure: "n = 1 234", its parts never torn apart."""
        return f"n\u00a0=\u00a0{self.count(n)}"

    def interval(self, estimate: Estimate) -> str:
        """Return "61–67", with "…" between where a bound bears a minus; empty where there is no interval."""
        if estimate.low is None or estimate.high is None:
            return ""
        dash = "…" if estimate.low < 0 else "–"
        return f"{self.number(estimate.low)}{dash}{self.number(estimate.high)}"

    def full(self, label: str, estimate: Estimate) -> str:
        """Return one sentence with all that is known: "Сделка: 64 (61–67), n = 120"."""
        if not is_shown(estimate):
            return f"{label}: {self.too_few}, {self.size(estimate.n)}"
        return f"{label}: {self.number(known(estimate)[0])} ({self.interval(estimate)}), {self.size(estimate.n)}"


def is_shown(estimate: Estimate | None) -> bool:
    """Return whether enough answers stand behind an estimate to draw it."""
    return estimate is not None and estimate.value is not None and estimate.n >= SMALL_GROUP


def known(estimate: Estimate) -> tuple[float, float, float]:
    """Return (value, low, high) of an estimate that is shown."""
    assert estimate.value is not None
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return estimate.value, low, high


@dataclass(frozen=True, slots=True)
class StagePoint:
    """One stage: its name, its emotion 0..100, the value of the period before, and what lies beneath."""

    label: str
    estimate: Estimate
    before: float | None = None
    url: str | None = None

    def link(self, words: Words) -> Link | None:
        """Return where the stage's point leads, named with all its figures."""
        return Link(self.url, words.full(self.label, self.estimate)) if self.url else None


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One channel's emotion along the stages, an estimate a stage."""

    channel: str
    label: str
    estimates: Sequence[Estimate]


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One row: its name, its estimate, its ranks in words ("3–7"), what lies beneath, and whether it alarms."""

    label: str
    estimate: Estimate
    ranks: str = ""
    url: str | None = None
    alarm: bool = False

    def link(self, words: Words) -> Link | None:
        """Return where the row leads, named with all its figures."""
        return Link(self.url, words.full(self.label, self.estimate)) if self.url else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a distribution: what it counts, how many, and whether the median lies in it."""

    label: str
    n: int
    middle: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A value to compare with, drawn as a line through all rows: the chain's mean, a target."""

    value: float
    label: str
