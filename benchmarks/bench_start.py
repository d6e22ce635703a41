"""How long people wait at the start: `otklik --help`, and the first page from cold, against bare baselines."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 5
OTKLIK = str(Path(sys.executable).with_name("otklik"))
BARE_PYTHON = [sys.executable, "-c", "pass"]
BARE_FLASK = [
    sys.executable,
    "-c",
    "import flask; app = flask.Flask('bare'); app.add_url_rule('/', 'x', lambda: 'x'); app.test_client().get('/')",
]
FIRST_PAGE = [
    sys.executable,
    "-c",
    "from feedback_app.app import create_app; app = create_app(); "
    "assert app.test_client().get('/login').status_code == 200",
]


def _median(command: list[str], environment: dict[str, str]) -> float:
    """Return the median wall time of a command, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run() -> dict[str, float]:
    """Return seconds and ratios of the starts."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OTKLIK_INSTANCE": folder}
        small = ["demo", "--stores", "1", "--days", "1", "--responses", "10"]
        subprocess.run([OTKLIK, *small], env=environment, check=True, stdout=subprocess.DEVNULL)
        python, flask = _median(BARE_PYTHON, environment), _median(BARE_FLASK, environment)
        help_, page = _median([OTKLIK, "--help"], environment), _median(FIRST_PAGE, environment)
    return {
        "otklik --help, s": help_,
        "otklik --help, of bare Python": help_ / python,
        "create_app and first page from cold, s": page,
        "create_app and first page from cold, of a bare Flask page": page / flask,
    }
