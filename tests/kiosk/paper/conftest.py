"""The shop of the survey, the book and the visit, opened once for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.kiosk.paper_scene import shop, sweep


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with shop(tmp_path_factory.mktemp("shop")) as app:
        yield app


@pytest.fixture
def app(open_app: Flask) -> Iterator[Flask]:
    yield open_app
    sweep(open_app)
