"""Load on a server from a process of its own: clients over kept connections, their requests made beforehand.

`python -m benchmarks.load` reads a Load as one line of JSON, says "ready", begins at the next line and answers with
what came back as JSON. One thread over epoll, so that the load itself takes little of a small machine.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

TEXTS = {
    "ru": ("Очередь на кассе на полчаса, работает одна касса из пяти.", "Свежий хлеб и вежливый кассир, спасибо!"),
    "be": ("Вельмі смачны хлеб, дзякуй прадаўцам.", "Доўгая чарга, а каса працуе толькі адна."),
    "en": ("The queue was far too long and nobody cared.", "Friendly staff and very fresh vegetables, thank you."),
}
COLLECTED = timedelta(hours=2)
"""Over how long a client's taps were given: a device that gave more than people can would be flagged."""


@dataclass(frozen=True)
class Place:
    """A point with its kiosk form's version and scale, and the token to send with."""

    token: str
    point: str
    version: int
    question: str
    values: int


@dataclass(frozen=True)
class Load:
    """What to send: a client a place, `batch` items a request, for so many seconds or until `limit` requests."""

    port: int
    places: Sequence[Place]
    seconds: float
    limit: int
    batch: int = 1
    texts: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Came:
    """What came back."""

    requests: int
    stored: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    slowest_ms: float


def uuid7(rng: random.Random, moment: datetime) -> str:
    """Return an id as a kiosk makes it."""
    milliseconds = int(moment.timestamp() * 1000)
    number = milliseconds << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def item(rng: random.Random, place: Place, sequence: int, *, text: bool) -> dict[str, Any]:
    """Return one item as a kiosk sends it."""
    moment = datetime.now(UTC) - COLLECTED * rng.random()
    answers: dict[str, Any] = {place.question: rng.randint(1, place.values)}
    language = "ru"
    if text:
        language = rng.choice(list(TEXTS))
        answers["comment"] = f"{rng.choice(TEXTS[language])} {sequence}"
    return {
        "id": uuid7(rng, moment),
        "point": place.point,
        "form_version": place.version,
        "occurred_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "language": language,
        "answers": answers,
        "sequence": sequence,
    }


def requests(load: Load, place: Place, number: int, count: int) -> Iterator[bytes]:
    """Yield the requests of one client."""
    rng = random.Random(f"{load.seed} {number} {os.getpid()}")
    for index in range(count):
        items = [item(rng, place, index * load.batch + at, text=load.texts) for at in range(load.batch)]
        sent_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = json.dumps({"sent_at": sent_at, "responses": items}, ensure_ascii=False, separators=(",", ":")).encode()
        head = (
            f"POST /api/v1/responses HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
            f"Authorization: Bearer {place.token}\r\nContent-Type: application/json\r\n"
            f"Accept: */*\r\nUser-Agent: kiosk\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


class Client:
    """One kept connection that sends the next request as soon as the last one is answered."""

    def __init__(self, port: int, bodies: list[bytes]) -> None:
        self.link = socket.create_connection(("127.0.0.1", port))
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bodies = bodies[::-1]
        self._got = b""
        self._sent_at = 0.0
        self.times: list[float] = []
        self.stored = self.refused = 0

    def send(self) -> bool:
        """Send the next request; False where none is left."""
        if not self._bodies:
            return False
        self._sent_at = time.perf_counter()
        self.link.sendall(self._bodies.pop())
        return True

    def receive(self) -> bool:
        """Take what came; True once the answer is whole."""
        self._got += self.link.recv(1 << 20) or _closed()
        head, gap, body = self._got.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return False
        self.times.append(time.perf_counter() - self._sent_at)
        self.stored += body.count(b'"stored"')
        self.refused += not head.startswith(b"HTTP/1.1 200")
        self._got = b""
        return True


def _closed() -> bytes:
    raise ConnectionError("the server closed the connection")


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    end = lowered.find(b"\r", start)
    return int(lowered[start : end if end > 0 else None])


def run(clients: Sequence[Client], seconds: float) -> float:
    """Let every client send until the time is over and the last answer is there; return the seconds taken."""
    poll = select.epoll()
    by_number = {client.link.fileno(): client for client in clients}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    start = time.perf_counter()
    end, waiting = start + seconds, sum(client.send() for client in clients)
    while waiting:
        for number, _ in poll.poll(60) or _silent():
            client = by_number[number]
            if client.receive() and (time.perf_counter() > end or not client.send()):
                waiting -= 1
    return time.perf_counter() - start


def _silent() -> list[tuple[int, int]]:
    raise TimeoutError("no answer for a minute")


def came(clients: Sequence[Client], seconds: float) -> Came:
    """Return the figures of a run."""
    times = sorted(taken for client in clients for taken in client.times)
    p50, p99, slowest = (times[int(part * (len(times) - 1))] * 1000 for part in (0.5, 0.99, 1))
    stored, refused = (sum(getattr(client, name) for client in clients) for name in ("stored", "refused"))
    return Came(len(times), stored, refused, seconds, p50, p99, slowest)


class Loader:
    """A load in a process of its own, ready to begin."""

    def __init__(self, load: Load) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say(json.dumps(asdict(load)))
        self._hear()

    def begin(self) -> None:
        """Let the clients begin."""
        self._say("go")

    def end(self) -> Came:
        """Wait for the end and return what came back."""
        found = Came(**json.loads(self._hear()))
        self._process.communicate()
        return found

    def _say(self, words: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load ended with an error")
        return line


def main() -> None:
    """Run the load that the first line of the input describes."""
    raw = json.loads(sys.stdin.readline())
    load = Load(**{**raw, "places": [Place(**place) for place in raw["places"]]})
    each = -(-load.limit // len(load.places))
    clients = [Client(load.port, list(requests(load, place, number, each))) for number, place in enumerate(load.places)]
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asdict(came(clients, run(clients, load.seconds)))), flush=True)


if __name__ == "__main__":
    main()
