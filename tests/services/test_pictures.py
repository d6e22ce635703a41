"""A picture from outside is read with suspicion and kept as a small clean one."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from feedback_app.domain.errors import Forbidden, NotFound, Problem
from feedback_app.services import pictures
from tests.builders import Chain


def a_picture(kind: str = "PNG", size: tuple[int, int] = (900, 300), **more: Any) -> bytes:
    out = io.BytesIO()
    mode = "RGB" if kind == "JPEG" else "RGBA"
    Image.linear_gradient("L").resize(size).convert(mode).save(out, format=kind, **more)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def a_bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that says it is `side` pixels wide and high."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_becomes_a_png_of_at_most_512_pixels(kind: str) -> None:
    with Image.open(io.BytesIO(pictures.redrawn(a_picture(kind)))) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (512, 171))


def test_a_small_picture_is_not_blown_up_and_stays_transparent() -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (40, 20), (0, 0, 0, 0)).save(clear, format="PNG")
    with Image.open(io.BytesIO(pictures.redrawn(clear.getvalue()))) as drawn:
        assert drawn.size == (40, 20)
        assert drawn.getpixel((1, 1)) == (0, 0, 0, 0)


def test_what_was_hidden_in_the_file_does_not_come_along() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the owner lives"
    content = a_picture("JPEG", exif=exif) + b"<script>alert(1)</script>"
    assert b"where the owner" in content
    clean = pictures.redrawn(content)
    assert b"where the owner" not in clean
    assert b"script" not in clean


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        a_picture()[:200],
        a_picture("JPEG")[:500],
        a_picture("TIFF"),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Problem, match="bad_picture"):
        pictures.redrawn(content)


@pytest.mark.parametrize("content", [b"\0" * (pictures.SIZE_LIMIT + 1), a_bomb(5_000), a_bomb(10_000), a_bomb(60_000)])
def test_what_would_unfold_to_too_much_is_refused_before_it_does(content: bytes) -> None:
    with pytest.raises(Problem, match="picture_too_large"):
        pictures.redrawn(content)


def test_a_picture_is_kept_once_and_read_by_its_key(any_chain: Chain) -> None:
    admin = any_chain.access("admin")
    key = pictures.keep(any_chain.db, admin, a_picture())
    assert pictures.keep(any_chain.db, admin, a_picture()) == key
    assert pictures.read(any_chain.db, key).startswith(b"\x89PNG")
    for missing in ("", "x" * 64, "../secret"):
        with pytest.raises(NotFound):
            pictures.read(any_chain.db, missing)
    with pytest.raises(Forbidden):
        pictures.keep(any_chain.db, any_chain.access("director"), a_picture())
