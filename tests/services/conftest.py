"""A mail server of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.mailbox import Mailbox, free_port, mail_server


@pytest.fixture
def port() -> int:
    """A port where nobody listens yet."""
    return free_port()


@pytest.fixture
def mailbox(port: int) -> Iterator[Mailbox]:
    """A mail server that is up."""
    found = Mailbox()
    with mail_server(found, port):
        yield found
