"""How long it takes to read comments: ours against TextBlob's own analyzer on the same English comments, in one run.

How well they are read is another matter: `python -m benchmarks.sentiment`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

from textblob import TextBlob

from analysis.journey import locate
from analysis.sentiment import score_comments, warm_up
from benchmarks.sentiment import OWN, score_own

REPEATS = 5
TIMES = 5
MEMORY = (
    # NLTK loads SciPy where it is installed; the product does not bring it, the tests do
    "import sys; sys.modules['scipy'] = None;"
    "from analysis.sentiment import score_comments, warm_up; from analysis.journey import locate;"
    "texts = open(sys.argv[1], encoding='utf-8').read().splitlines();"
    "warm_up(); score_comments(texts); locate(texts);"
    "print([int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM')][0] / 1024)"
)


def _seconds(work: Callable[[], object]) -> float:
    """Return the median wall time of some work."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def _each(texts: Sequence[str]) -> None:
    for text in texts:
        score_comments([text])


def run() -> dict[str, float]:
    """Return comments a second and their ratios, memory, and how well the 300 frozen comments are read."""
    warm_up()
    rows = [line.split("\t") for line in OWN.read_text("utf-8").splitlines()]
    texts = [text for _, text, _ in rows] * TIMES
    english = [text for language, text, _ in rows if language == "en"] * TIMES
    score_comments(texts)
    plain = _seconds(lambda: [TextBlob(text).sentiment for text in english]) / len(english)
    ours = _seconds(lambda: score_comments(english)) / len(english)
    batch = _seconds(lambda: score_comments(texts)) / len(texts)
    single = _seconds(lambda: _each(texts)) / len(texts)
    located = _seconds(lambda: locate(texts)) / len(texts)
    memory = subprocess.run([sys.executable, "-c", MEMORY, str(OWN)], check=True, capture_output=True, text=True)
    return {
        "comments scored a second, in batches": 1 / batch,
        "comments located a second, in batches": 1 / located,
        "one comment scored, ms": 1000 * single,
        "English comments scored, of TextBlob's own analyzer": plain / ours,
        "memory of a process that scores and locates, MB": float(memory.stdout),
        **score_own(),
    }
