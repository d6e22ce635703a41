"""The code on the poster leads to the survey of its touchpoint, and to nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import segno
from flask import Flask
from PIL import Image

from tests.kiosk.paper_scene import TOKEN, open_shop, set_point, shop, visitor, words_of

PAGE = f"/q/{TOKEN}"
QUIET = 4


@pytest.fixture
def open_app(make_app: Callable[..., Flask], tmp_path: Path) -> Callable[..., Flask]:
    def opened(**config: object) -> Flask:
        app = make_app(f"sqlite:///{tmp_path / 'shop.db'}", **config)
        open_shop(app.extensions["otklik"])
        return app

    return opened


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with shop(tmp_path_factory.mktemp("shop")) as app:
        yield app


def modules_of(png: bytes, scale: int) -> list[list[bool]]:
    """Return the dark modules of a drawn code, quiet zone included, one pixel looked at in each."""
    image = Image.open(io.BytesIO(png)).convert("L")
    side = image.width // scale
    assert image.size == (side * scale, side * scale)
    middle = scale // 2
    return [[image.getpixel((x * scale + middle, y * scale + middle)) < 128 for x in range(side)] for y in range(side)]


def matrix_of(address: str) -> list[list[bool]]:
    return [[bool(module) for module in row] for row in segno.make(address, error="q", boost_error=False).matrix]


@pytest.mark.parametrize("scale", [1, 5, 12])
def test_the_png_says_the_absolute_address_with_white_around(app: Flask, scale: int) -> None:
    reply = visitor(app).get(f"{PAGE}/qr.png?scale={scale}")
    assert reply.mimetype == "image/png"
    modules = modules_of(reply.data, scale)
    inner = [row[QUIET:-QUIET] for row in modules[QUIET:-QUIET]]
    assert inner == matrix_of(f"http://localhost{PAGE}")
    assert sum(map(sum, modules)) == sum(map(sum, inner)), "nothing dark in the quiet zone"


@pytest.mark.parametrize(("asked", "drawn"), [("100000", 40), ("-5", 1), ("0", 1), ("large", 12), ("", 12)])
def test_the_size_of_the_png_is_bounded(app: Flask, asked: str, drawn: int) -> None:
    image = Image.open(io.BytesIO(visitor(app).get(f"{PAGE}/qr.png?scale={asked}").data))
    assert image.width == (len(matrix_of(f"http://localhost{PAGE}")) + 2 * QUIET) * drawn


def test_the_svg_is_of_the_same_size_in_modules(app: Flask) -> None:
    reply = visitor(app).get(f"{PAGE}/qr.svg")
    assert reply.mimetype == "image/svg+xml"
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', reply.text)
    assert box
    assert int(box[1]) == int(box[2]) == len(matrix_of(f"http://localhost{PAGE}")) + 2 * QUIET


def test_the_address_is_the_chains_own(open_app: Callable[..., Flask]) -> None:
    app = open_app(OTKLIK_BASE_URL="https://shop.example/otklik")
    reply = visitor(app).get(f"{PAGE}/qr.png?scale=1")
    inner = [row[QUIET:-QUIET] for row in modules_of(reply.data, 1)[QUIET:-QUIET]]
    assert inner == matrix_of(f"https://shop.example/otklik{PAGE}")
    assert f"shop.example/otklik{PAGE}" in visitor(app).get(f"{PAGE}/poster").text


@pytest.mark.parametrize("language", ["ru", "be", "en"])
def test_the_poster_speaks_three_languages_the_readers_first(app: Flask, language: str) -> None:
    page = words_of(visitor(app, language).get(f"{PAGE}/poster").text)
    assert re.search(r'<h1 lang="(\w\w)">', page)[1] == language  # type: ignore[index]
    assert set(re.findall(r'<li lang="(\w\w)">', page)) == {"ru", "be", "en"}
    assert f"localhost{PAGE}" in page
    assert f'src="{PAGE}/qr.svg"' in page


@pytest.mark.parametrize("what", ["qr.svg", "qr.png", "poster"])
def test_an_unknown_point_has_no_code(app: Flask, what: str) -> None:
    assert visitor(app).get(f"/q/no-such-point/{what}").status_code == 404


def test_the_poster_of_an_ended_survey_says_so_and_has_no_code_to_scan(app: Flask) -> None:
    set_point(app, survey_until=datetime(2026, 3, 31, tzinfo=UTC))
    page = words_of(visitor(app).get(f"{PAGE}/poster").text)
    code = visitor(app).get(f"{PAGE}/qr.svg")
    set_point(app, survey_until=None)
    for said in ("This survey has ended", "Этот опрос завершён", "Гэтае апытанне завершана"):
        assert said in page
    assert "qr.svg" not in page
    assert code.status_code == 200, "the address still answers"
