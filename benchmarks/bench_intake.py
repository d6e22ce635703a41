"""How fast the intake is, of what it could be at best; `OTKLIK_BENCH_MEMORY=1000000` adds its memory."""

from __future__ import annotations

import os
from dataclasses import replace

from benchmarks import intake


def run() -> dict[str, float]:
    """Return the figures of the intake and their ratios."""
    return intake.measure(replace(intake.Size(), memory=int(os.environ.get("OTKLIK_BENCH_MEMORY", "0"))))
