"""The server: granian with an end that is never late, and a certificate that is judged before it is served."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
from pathlib import Path
from typing import Any

from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.net import SocketSpec
from granian.server.mp import MPServer

from feedback_app.cli.renewal import Watch

THREADS = 16
BACKLOG = 1024
END_SECONDS = 8
"""How long after SIGTERM the server is gone, whatever its requests do."""
SHORTEST_OVERLAP = 3.0
"""How long a worker and the one that takes its place serve together at least."""


class Server(MPServer):
    """granian over http, or over https with a certificate that may change while it serves."""

    def __init__(self, app: str, host: str, port: int, workers: int, tls: tuple[Path, Path] | None) -> None:
        options: dict[str, Any] = {"blocking_threads": THREADS, "backlog": BACKLOG, "log_level": LogLevels.error}
        if tls:
            options |= {"ssl_cert": tls[0], "ssl_key": tls[1], "ssl_protocol_min": SSLProtocols.tls12}
        super().__init__(
            app,
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            factory=True,
            workers_kill_timeout=END_SECONDS - 1,
            **options,
        )
        self._tls = tls
        self._watch: Watch | None = None

    def _init_shared_socket(self) -> None:
        """Let one listening socket be shared, as granian has it on systems other than Linux.

        With a socket for each worker the port would be closed while the old one is gone and the new one not yet there,
        and what waited at the old one would be lost. Here visitors wait until somebody takes them.
        """
        if self._tls is None and self.workers > 1:
            super()._init_shared_socket()
            return
        shared = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._ssp, self._shd, self._sfd = None, shared, shared.get_fd()  # type: ignore[assignment]
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)

    def watch(self, watch: Watch) -> None:
        """Look after the certificate in a thread of its own, and when the process gets SIGHUP."""
        self._watch = watch
        threading.Thread(target=watch.run, name="otklik-tls", daemon=True).start()

    def listening_after(self, seconds: float) -> None:
        """Note how long a worker took to take visitors: the one that takes its place is given twice that time."""
        self.respawn_interval = max(SHORTEST_OVERLAP, 2 * seconds)

    def take_over(self) -> None:
        """Serve with what the certificate's files hold now: a new worker begins, then the old one ends its requests."""
        if self._tls is not None:
            # Paths are resolved anew: certbot's files are links that point elsewhere after a renewal.
            self.build_ssl_context(*self._tls, None, SSLProtocols.tls12, None, [], False)
        super().signal_handler_reload()

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """End in time, also in the midst of a change of workers."""
        late = threading.Timer(END_SECONDS, _end_at_once)
        late.daemon = True
        late.start()
        super().signal_handler_interrupt(*args, **kwargs)

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Change the workers; a certificate is judged first, because a worker dies of one that cannot be served."""
        if self._watch is None:
            super().signal_handler_reload(*args, **kwargs)
        else:
            self._watch.ask()


def _end_at_once() -> None:
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(0)
