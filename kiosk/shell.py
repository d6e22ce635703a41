"""The kiosk's shell: the files a device keeps to work without a network, addressed by their content.

Styles and scripts stay files of their own here and go out as one each, without comments and indentation: on a bad line
every request costs, its headers as much as a small script.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import current_app, url_for

from kiosk.keeper_words import keeper_words

HERE = Path(__file__).parent
Asset = tuple[str, str]
"""The endpoint of a folder of static files, and the name of a file in it."""
STYLES: tuple[Asset, ...] = (
    ("static", "tokens.css"),
    *(("kiosk.static", f"{name}.css") for name in ("faces", "kiosk", "keeper")),
)
SCRIPTS: tuple[Asset, ...] = tuple(
    ("kiosk.static", f"{name}.js")
    for name in (
        *("uuid7", "backoff", "clock", "outbox", "sender", "device", "offline"),
        *("book_queue", "book_door"),
        *("misuse", "attract", "fit", "touch", "keeper", "kiosk"),
    )
)
ICON = ("kiosk.static", "icon.svg")
PARTS = {"shell.css": STYLES, "shell.js": SCRIPTS}
WORKER = HERE / "static" / "service_worker.js"
TEMPLATES = (HERE / "templates" / "kiosk" / "kiosk.html", HERE / "templates" / "kiosk" / "_faces.html")


_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)


def _mark(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:12]


@cache
def _digest(path: Path, _changed: int) -> str:
    return _mark(path.read_bytes())


def digest(path: Path) -> str:
    """Return 12 hex digits that change with a file's content."""
    return _digest(path, path.stat().st_mtime_ns)


def _lean(path: Path) -> bytes:
    """Return a style or script without its lines of comment and its indentation."""
    source = path.read_bytes()
    lines = (_COMMENT.sub(b"", source) if path.suffix == ".css" else source).splitlines()
    return b"\n".join(line for line in map(bytes.strip, lines) if line and not line.startswith(b"//"))


@cache
def _joined(paths: tuple[Path, ...], _changed: tuple[int, ...]) -> tuple[bytes, str]:
    body = b"\n".join(map(_lean, paths))
    return body, _mark(body)


def _path(asset: Asset) -> Path:
    endpoint, filename = asset
    folder = current_app.static_folder if endpoint == "static" else HERE / "static"
    return Path(folder or "") / filename


def address(asset: Asset) -> str:
    """Return the address of an asset, given as endpoint and file name."""
    endpoint, filename = asset
    return url_for(endpoint, filename=filename, v=digest(_path(asset)))


def addresses(assets: tuple[Asset, ...]) -> list[str]:
    """Return the addresses of assets, each by itself."""
    return [address(asset) for asset in assets]


def part(name: str) -> tuple[bytes, str]:
    """Return a part of the shell, all its files in their order, and its digest; KeyError for an unknown one."""
    paths = tuple(map(_path, PARTS[name]))
    return _joined(paths, tuple(path.stat().st_mtime_ns for path in paths))


def worker() -> bytes:
    """Return the service worker's source, to stand behind what it is told."""
    return _lean(WORKER)


def part_address(name: str) -> str:
    """Return the address of a part of the shell."""
    return url_for("kiosk.shell_part", name=name, v=part(name)[1])


def words() -> tuple[bytes, str]:
    """Return the words for staff as JSON, and their digest."""
    return keeper_words(), _mark(keeper_words())


def words_address() -> str:
    """Return the address of the words for staff."""
    return url_for("kiosk.keeper_json", v=words()[1])


def everything() -> list[str]:
    """Return the addresses of all that the worker keeps beside the page."""
    return [*(part_address(name) for name in PARTS), address(ICON), words_address()]


def version() -> str:
    """Return 12 hex digits that change with anything in the shell: assets, worker, templates."""
    parts = [*everything(), digest(WORKER), *map(digest, TEMPLATES)]
    return _mark("\n".join(parts).encode())
