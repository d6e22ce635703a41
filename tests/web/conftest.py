"""A chain with a few responses behind the real app, read by the cast; nobody writes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import sign_in_as
from tests.web.scene import Reader, filled


@pytest.fixture(scope="package")
def filled_app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The app over a chain in which stores 001 and 002 were tapped at and written to."""
    with filled(sqlite_template, tmp_path_factory.mktemp("filled")) as app:
        yield app


@pytest.fixture(scope="package")
def signed_in(filled_app: Flask) -> Callable[[str], FlaskClient]:
    """Return the browser of somebody of the cast; each signs in once."""
    browsers: dict[str, FlaskClient] = {}

    def browser(role: str) -> FlaskClient:
        if role not in browsers:
            browsers[role] = sign_in_as(filled_app.test_client(), role)
        return browsers[role]

    return browser


@pytest.fixture
def read(signed_in: Callable[[str], FlaskClient]) -> Reader:
    """Open a page as somebody of the cast, in a language."""

    def page(path: str, role: str = "director", language: str = "en", status: int = 200) -> str:
        glue = "&" if "?" in path else "?"
        answer = signed_in(role).get(f"{path}{glue}lang={language}")
        assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
        return answer.get_data(as_text=True)

    return page
