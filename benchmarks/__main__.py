"""Run every benchmarks/bench_*.py and keep its figures: `python -m benchmarks [NAME…]`.

A benchmark module has `run() -> dict[str, float]`. What counts is a ratio of two things measured in the same
run: absolute times are of this machine alone.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def find(names: Sequence[str]) -> list[str]:
    """Return the names of the benchmarks, all or those asked for; a KeyError names an unknown one."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise KeyError(f"no such benchmark: {', '.join(unknown)}; known: {', '.join(known) or 'none'}")
    return list(names) or known


def previous(name: str) -> Mapping[str, float]:
    """Return the figures of the run before, or nothing."""
    try:
        figures: Mapping[str, float] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))["figures"]
    except (OSError, ValueError, KeyError):
        return {}
    return figures


def table(name: str, figures: Mapping[str, float], before: Mapping[str, float]) -> str:
    """Return the figures as lines: what, figure, and the figure over that of the run before."""
    lines = [name]
    for what, figure in figures.items():
        change = f"  x{figure / before[what]:.2f} of the run before" if before.get(what) else ""
        lines.append(f"  {what:<56} {figure:>12.4g}{change}")
    return "\n".join(lines)


def keep(name: str, figures: Mapping[str, float]) -> None:
    """Write the figures with the machine they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "figures": dict(figures),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def main(names: Sequence[str]) -> int:
    """Run the benchmarks one after another; return the exit status."""
    try:
        found = find(names)
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    for name in found:
        figures = importlib.import_module(f"benchmarks.bench_{name}").run()
        print(table(name, figures, previous(name)), flush=True)
        keep(name, figures)
    if not found:
        print("No benchmarks yet: a benchmark is a module benchmarks/bench_*.py with run() -> dict.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
