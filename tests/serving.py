"""Serving the app to real clients inside a test's process."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterable
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

PORTS = range(20_000, 32_000)
"""Below those that the system hands out to clients, one of which might take a port while it is shut."""


def free_port() -> int:
    """Return a port that nobody else is given while it is shut."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def server_of(app: Flask, port: int = 0) -> BaseWSGIServer:
    """Return a server of the app, with a thread for each request; 0 is any free port.

    Answers are made whole before they are sent: werkzeug leaves a file open whose reader went away.
    """

    def whole(environ: Any, start_response: Any) -> Iterable[bytes]:
        answer = app(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return make_server("127.0.0.1", port, whole, threaded=True)
