"""The certificate in service: taken over when its files change, and made anew before it ends where it is our own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from feedback_app.cli import certificates
from feedback_app.cli.certificates import BadCertificate, Pair, Shelf

LOOK_SECONDS = 2.0
State = tuple[tuple[int, int, int] | None, ...]


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Watch:
    """Looks at a certificate and its key, and hands them over when both were replaced.

    Certificate and key are two files and change one after the other: a pair is judged once it has stood still
    between two looks. What cannot be served is named once, and the pair in service stays.
    """

    def __init__(
        self, certificate: Path, key: Path, take_over: Callable[[], None], say: Callable[[str], None], own: Shelf
    ) -> None:
        self._certificate, self._key = certificate, key
        self._take_over, self._say = take_over, say
        self._own = own if own.is_for(certificate) else None
        self._judged = self._seen = self._state()
        self._asked = threading.Event()
        self._renewal_failed = False
        self._stumbled_over: str | None = None

    def _state(self) -> State:
        return _state_of(self._certificate), _state_of(self._key)

    def ask(self) -> None:
        """Let the pair be taken over now, changed or not."""
        self._asked.set()

    def run(self) -> None:
        """Look again and again, for as long as the program runs."""
        while True:
            asked = self._asked.wait(LOOK_SECONDS)
            self._asked.clear()
            try:
                self.look(asked=asked)
                self._stumbled_over = None
            except Exception as error:
                # Nobody else looks after the certificate: this thread goes on, whatever happens.
                self._stumble(repr(error))

    def _stumble(self, what: str) -> None:
        if what != self._stumbled_over:
            self._say(f"The certificate in service stays; looking after it failed: {what}")
        self._stumbled_over = what

    def look(self, *, asked: bool = False) -> None:
        """Look once: renew what is our own and due, and take over what changed."""
        self._renew_when_due()
        state = self._state()
        settled, self._seen = state == self._seen, state
        if asked or (settled and state != self._judged):
            self._judged = state
            self._judge()

    def _judge(self) -> None:
        try:
            pair = certificates.read_pair(self._certificate, self._key)
            self._take_over()
        except (BadCertificate, OSError) as error:
            self._say(f"The certificate in service stays: {error}")
            return
        self._say(f"Serving with the certificate that is valid until {certificates.day(pair.ends)}.")

    def _renew_when_due(self) -> None:
        if self._own is None:
            return
        try:
            found = certificates.read_certificate(self._own.certificate)
            if Pair(found, ()).is_due(datetime.now(UTC)):
                certificates.renew(self._own)
                self._renewal_failed = False
        except (BadCertificate, OSError) as error:
            if not self._renewal_failed:
                self._say(f"The certificate could not be made anew: {error}")
            self._renewal_failed = True
