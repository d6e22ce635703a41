"""Photos of writers are read with suspicion, drawn anew and kept small."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from feedback_app.domain.errors import Invalid
from feedback_app.services import photos
from feedback_app.services.photos import Upload, drawn
from tests.services.test_pictures import a_bomb, a_picture


def upload(content: bytes, name: str = "photo.jpg") -> Upload:
    return Upload(name, io.BytesIO(content))


def opened(content: bytes) -> Any:
    return Image.open(io.BytesIO(content))


def refused(*uploads: Upload) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as caught:
        drawn(uploads)
    return [(problem.code, problem.field) for problem in caught.value.problems]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_photo_becomes_a_jpeg_of_at_most_2048_pixels(kind: str) -> None:
    [content] = drawn([upload(a_picture(kind, (4100, 1000)))])
    with opened(content) as found:
        assert (found.format, found.width) == ("JPEG", 2048)
        assert found.height in (499, 500)


def test_a_photo_stands_upright_and_tells_no_place() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "where the writer lives"
    [content] = drawn([upload(a_picture("JPEG", (400, 100), exif=exif) + b"<script>")])
    assert b"where the writer" not in content
    assert b"script" not in content
    with opened(content) as found:
        assert found.size == (100, 400)
        assert dict(found.getexif()) == {}


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA", "CMYK", "1"])
def test_every_kind_of_colour_can_be_drawn(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (60, 40)).save(out, format="JPEG" if mode == "CMYK" else "PNG")
    with opened(drawn([upload(out.getvalue())])[0]) as found:
        assert found.size == (60, 40)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_photo"),
        (b"no picture at all", "bad_photo"),
        (b"%PDF-1.7", "bad_photo"),
        (a_picture("JPEG")[:700], "bad_photo"),
        (a_picture("PNG")[:200], "bad_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "bad_photo"),
        (a_bomb(30_000), "photo_too_large"),
        (a_bomb(5_000), "photo_too_large"),
        (b"\xff\xd8" + b"\0" * photos.SIZE_LIMIT, "photo_too_large"),
    ],
)
def test_what_is_no_photo_is_named(content: bytes, code: str) -> None:
    assert refused(upload(a_picture()), upload(content)) == [(code, "photos")]


def test_each_wrong_photo_is_named_by_itself() -> None:
    assert len(refused(upload(b"", "a.jpg"), upload(a_picture()), upload(b"x", "b.txt"))) == 2


def test_more_than_five_are_too_many() -> None:
    assert refused(*[upload(a_picture())] * 6) == [("too_many_photos", "photos")]
    assert len(drawn([upload(a_picture(size=(20, 20))) for _ in range(5)])) == 5
