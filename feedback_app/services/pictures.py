"""Pictures that staff upload: read with suspicion, drawn anew, kept by the digest of their bytes."""

from __future__ import annotations

import hashlib
import io
import struct

import sqlalchemy as sa
from PIL import Image, ImageOps
from sqlalchemy.engine import Connection

from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import NotFound, Problem
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database, insert_or
from feedback_app.storage.tables import Picture

MIB = 1024 * 1024
SIZE_LIMIT = 2 * MIB
PIXEL_LIMIT = 16_000_000
"""A small file can unfold to gigabytes: the size is looked at before anything is unfolded."""
LOGO_SIDE = 512
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_BROKEN = (OSError, SyntaxError, ValueError, IndexError, TypeError, EOFError, struct.error)
"""What Pillow raises for files that are not what they say."""


def redrawn(content: bytes, side: int = LOGO_SIDE) -> bytes:
    """Return a picture as PNG of at most `side` pixels; raise Problem for what is no picture or too large.

    What was hidden in the file (places, names, other formats' content) does not come along.
    """
    too_large = Problem("picture_too_large", "logo", limit=SIZE_LIMIT // MIB)
    if len(content) > SIZE_LIMIT:
        raise too_large
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > PIXEL_LIMIT:
                raise too_large
            drawn = ImageOps.exif_transpose(picture).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except _BROKEN:
        raise Problem("bad_picture", "logo") from None
    drawn.thumbnail((side, side), Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", drawn.size)
    clean.paste(drawn)
    out = io.BytesIO()
    clean.save(out, format="PNG", optimize=True)
    return out.getvalue()


def keep(db: Database, access: Access, content: bytes) -> str:
    """Keep a picture that the administrator uploaded and return its key; the same picture is kept once."""
    access.require(Right.MANAGE_DEVICES)
    clean = redrawn(content)
    key = hashlib.sha256(clean).hexdigest()

    def work(connection: Connection) -> None:
        moment = now()
        values = {"key": key, "media_type": "image/png", "content": clean, "created_at": moment}
        insert = insert_or(connection, Picture.__table__).values(**values)
        added = connection.execute(insert.on_conflict_do_nothing(index_elements=["key"]).returning(sa.literal(1)))
        if added.first() is not None:
            house.audit(connection, moment, access.actor, "picture.add", f"picture:{key}", {"bytes": len(clean)})

    db.write(work)
    return key


def read(db: Database, key: str) -> bytes:
    """Return the PNG of a key, or raise NotFound."""
    with db.read(SYSTEM) as session:
        content = session.scalar(sa.select(Picture.content).where(Picture.key == key))
    if content is None:
        raise NotFound("unknown_picture")
    return bytes(content)
