"""A line between kiosk and server that can be cut at any place of a request, and the strangers that answer on it."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from tests.serving import free_port

INTAKE = "/api/v1/responses"
SECONDS = 30
STRANGE_PAGE = "<!doctype html><title>Hello</title>"
RESET = struct.pack("ii", 1, 0)


class Hurt(Exception):
    """The connection ended before the message did."""


def _read(source: socket.socket) -> bytes:
    part = source.recv(65536)
    if not part:
        raise Hurt
    return part


def _shut(*ends: socket.socket | None, reset: bool = False) -> None:
    """Close, and with `reset` at once: what was not read yet is lost, as behind a dead router."""
    for end in ends:
        if end is None:
            continue
        with contextlib.suppress(OSError):
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                end.shutdown(socket.SHUT_RDWR)
        end.close()


class Exchange:
    """One request on the line and what becomes of it."""

    def __init__(self, client: socket.socket, server: tuple[str, int]) -> None:
        self._client = client
        self._server_address = server
        self._server: socket.socket | None = None
        data = _read(client)
        while b"\r\n\r\n" not in data:
            data += _read(client)
        head, self._early = data.split(b"\r\n\r\n", 1)
        # One request a connection keeps the line simple.
        head = re.sub(rb"(?im)^(connection|keep-alive):[^\r\n]*\r\n", b"", head + b"\r\n")
        self.head = head + b"Connection: close\r\n\r\n"
        self.method, self.path = head.split(b" ", 2)[:2] if b" " in head else (b"", b"")
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        self.length = int(length[1]) if length else 0

    def is_intake(self) -> bool:
        """Whether it carries responses."""
        return self.method == b"POST" and self.path.decode().split("?")[0].endswith(INTAKE)

    def body(self) -> bytes:
        """Read the request's body to its end."""
        while len(self._early) < self.length:
            self._early += _read(self._client)
        return self._early[: self.length]

    def items(self) -> list[dict[str, Any]]:
        """Return the items that the request carries."""
        found: list[dict[str, Any]] = json.loads(self.body())["responses"]
        return found

    def to_server(self, data: bytes) -> None:
        """Hand a part of the request to the server."""
        if self._server is None:
            self._server = socket.create_connection(self._server_address, timeout=SECONDS)
        self._server.sendall(data)

    def server_says(self) -> bytes:
        """Return the server's whole answer; Hurt where it gave none."""
        assert self._server is not None
        parts = []
        with contextlib.suppress(Hurt):
            while True:
                parts.append(_read(self._server))
        if not parts:
            raise Hurt
        return b"".join(parts)

    def deliver(self) -> bytes:
        """Hand the request to the server and return its answer."""
        self.to_server(self.head + self.body())
        return self.server_says()

    def to_client(self, data: bytes) -> None:
        """Hand a part of the answer to the browser."""
        self._client.sendall(data)

    def close(self, reset: bool = False) -> None:
        """End both sides."""
        _shut(self._client, self._server, reset=reset)


Fault = Callable[[Exchange], None]
"""What happens to one request instead of its way to the server and back."""


def healthy(exchange: Exchange) -> None:
    """Carry the request there and the answer back."""
    exchange.to_client(exchange.deliver())
    exchange.close()


def cut_before_the_body(exchange: Exchange) -> None:
    """End the line when the head has come."""
    exchange.close(reset=True)


def cut_in_the_middle_of_the_body(exchange: Exchange) -> None:
    """End the line when the server has half of the body."""
    body = exchange.body()
    exchange.to_server(exchange.head + body[: len(body) // 2])
    exchange.close(reset=True)


def cut_after_the_body(exchange: Exchange) -> None:
    """End the line as soon as the server has the whole body: it may store it or not."""
    exchange.to_server(exchange.head + exchange.body())
    exchange.close(reset=True)


def lose_the_answer(exchange: Exchange) -> None:
    """Let the server store and answer, and lose the answer."""
    exchange.deliver()
    exchange.close(reset=True)


def cut_in_the_middle_of_the_answer(exchange: Exchange) -> None:
    """Let the browser have half of what the server answered."""
    answer = exchange.deliver()
    exchange.to_client(answer[: answer.index(b"\r\n\r\n") + 4 + len(answer.split(b"\r\n\r\n", 1)[1]) // 2])
    exchange.close(reset=True)


def black_hole(exchange: Exchange) -> None:
    """Take everything and never say a word."""
    exchange.body()
    with contextlib.suppress(Hurt, OSError):
        _read(exchange._client)
    exchange.close()


def slow(seconds: float) -> Fault:
    """Let every request wait before it goes on."""

    def fault(exchange: Exchange) -> None:
        sleep(seconds)
        healthy(exchange)

    return fault


def answer(status: int, kind: str = "text/html", text: str = STRANGE_PAGE, **more: str) -> Fault:
    """Let a stranger answer in the server's place."""
    content = text.encode()
    headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"}
    headers.update({name.replace("_", "-"): value for name, value in more.items()})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def fault(exchange: Exchange) -> None:
        exchange.body()
        exchange.to_client(f"HTTP/1.1 {status} Stranger\r\n{lines}\r\n".encode() + content)
        exchange.close()

    return fault


CAPTIVE_PORTAL = answer(200, text="<!doctype html><title>Pay for your line</title>")
LOGIN_PAGE = answer(302, Location="http://127.0.0.1:9/login")


def refuse_larger_than(size: int) -> Fault:
    """Answer 413 to large bodies, as a proxy with a limit of its own does; the others pass."""
    refusal = answer(413)
    return lambda exchange: refusal(exchange) if exchange.length > size else healthy(exchange)


@dataclass
class _Strike:
    fault: Fault
    left: int | None
    every: bool


class Line:
    """A TCP proxy before a server; its port stays the same when it is shut and opened again."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.port = free_port()
        self.struck = 0
        """How many requests met a fault."""
        self.posts: list[float] = []
        """When responses were sent, by the clock of this machine."""
        self._strike: _Strike | None = None
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.up()

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Take connections."""
        if self._listener is not None:
            return
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections and cut those that stand."""
        listener, self._listener = self._listener, None
        _shut(listener)
        with self._lock:
            standing = list(self._open)
        _shut(*standing, reset=True)

    def strike(self, fault: Fault, times: int | None = None, *, every: bool = False) -> None:
        """Let a fault meet the next `times` posts of responses, all without it; with `every` other requests too."""
        with self._lock:
            self._strike, self.struck = _Strike(fault, times, every), 0

    def clear(self) -> None:
        """Let everything pass again."""
        with self._lock:
            self._strike = None

    @contextlib.contextmanager
    def struck_by(self, fault: Fault, *, every: bool = False) -> Iterator[None]:
        """Let a fault meet all posts meanwhile."""
        self.strike(fault, every=every)
        yield
        self.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with self._lock:
            self._open.add(client)
        client.settimeout(SECONDS)
        exchange = None
        try:
            exchange = Exchange(client, ("127.0.0.1", self.server_port))
            self._fault_for(exchange)(exchange)
        except (Hurt, OSError):
            _shut(client, reset=True)
        finally:
            if exchange is not None:
                exchange.close()
            with self._lock:
                self._open.discard(client)

    def _fault_for(self, exchange: Exchange) -> Fault:
        intake = exchange.is_intake()
        with self._lock:
            if intake:
                self.posts.append(monotonic())
            strike = self._strike
            if strike is None or not (intake or strike.every) or strike.left == 0:
                return healthy
            if strike.left is not None:
                strike.left -= 1
            self.struck += 1
            return strike.fault
