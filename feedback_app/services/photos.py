"""Photos that writers attach to an entry: read with suspicion, drawn anew, small enough to keep."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from PIL import Image

from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.scales import clean_text

MIB = 1024 * 1024
FIELD = "photos"
COUNT_LIMIT = 5
SIZE_LIMIT = 12 * MIB
REQUEST_LIMIT = COUNT_LIMIT * SIZE_LIMIT + MIB
"""Bytes of one page with its photos; one photo of 40 MiB fits, so that its page can say what is wrong with it."""
SIDE = 2048
QUALITY = 82
PIXEL_LIMIT = 64_000_000
"""A JPEG is unfolded at an eighth, quarter or half of its size: 64 megapixels take some 50 MB."""
WHOLE_PIXEL_LIMIT = 24_000_000
"""What is unfolded whole: all but plain JPEG, whose progressive kind is kept whole in memory too."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MEDIA_TYPE = "image/jpeg"
NAME_SHOWN = 40
ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture is turned upright, by its tag of orientation (Exif 2.32, 4.6.5.1)."""
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Pillow raises for files that are not what they say."""
_drawing = threading.BoundedSemaphore(2)
"""So many photos are unfolded at the same moment, however many writers send some: memory stays bounded."""


@dataclass(frozen=True)
class Upload:
    """A file as it came."""

    name: str
    stream: IO[bytes]


def drawn(uploads: Sequence[Upload]) -> list[bytes]:
    """Return photos as JPEG of at most 2048 pixels a side, upright; raise Invalid with a problem a photo.

    What was hidden in the files (places, names, other formats' content) does not come along.
    """
    if len(uploads) > COUNT_LIMIT:
        raise Invalid([Problem("too_many_photos", FIELD, limit=COUNT_LIMIT)])
    good, problems = [], []
    for upload in uploads:
        try:
            good.append(_drawn(upload))
        except Problem as problem:
            problems.append(problem)
    if problems:
        raise Invalid(problems)
    return good


def _drawn(upload: Upload) -> bytes:
    content = upload.stream.read(SIZE_LIMIT + 1)
    shown = " ".join(clean_text(upload.name).split())[-NAME_SHOWN:] or "?"
    if not content:
        raise Problem("empty_photo", FIELD, name=shown)
    too_large = Problem("photo_too_large", FIELD, name=shown, limit=SIZE_LIMIT // MIB)
    if len(content) > SIZE_LIMIT:
        raise too_large
    try:
        with _drawing:
            return _redrawn(content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise too_large from None
    except _BROKEN:
        raise Problem("bad_photo", FIELD, name=shown) from None


def _redrawn(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        plain_jpeg = picture.format == "JPEG" and "progressive" not in picture.info
        if picture.width * picture.height > (PIXEL_LIMIT if plain_jpeg else WHOLE_PIXEL_LIMIT):
            raise Image.DecompressionBombError
        picture.draft("RGB", (SIDE, SIDE))
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        # Not by the library's own function: it writes the tags anew, and some cameras' tags cannot be written.
        turn = _TURNS.get(picture.getexif().get(ORIENTATION) or 1)
        upright = picture if turn is None else picture.transpose(turn)
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    clean = Image.new("RGB", upright.size, "white")
    clean.paste(upright, mask=upright.getchannel("A") if upright.mode == "RGBA" else None)
    out = io.BytesIO()
    clean.save(out, format="JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
