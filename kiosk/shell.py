"""The kiosk's shell: the files a device keeps to work without a network, addressed by their content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import current_app, url_for

from kiosk.keeper_words import keeper_words

HERE = Path(__file__).parent
STYLES = (
    ("static", "tokens.css"),
    *(("kiosk.static", f"{name}.css") for name in ("faces", "kiosk", "keeper")),
)
SCRIPTS = tuple(
    ("kiosk.static", f"{name}.js")
    for name in (
        *("uuid7", "backoff", "clock", "outbox", "sender", "device", "offline"),
        *("misuse", "attract", "keeper", "kiosk"),
    )
)
ICON = ("kiosk.static", "icon.svg")
WORKER = HERE / "static" / "service_worker.js"
TEMPLATES = (HERE / "templates" / "kiosk" / "kiosk.html", HERE / "templates" / "kiosk" / "_faces.html")


@cache
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def digest(path: Path) -> str:
    """Return 12 hex digits that change with a file's content."""
    return _digest(path, path.stat().st_mtime_ns)


def _path(endpoint: str, filename: str) -> Path:
    folder = current_app.static_folder if endpoint == "static" else HERE / "static"
    return Path(folder or "") / filename


def address(asset: tuple[str, str]) -> str:
    """Return the address of an asset, given as endpoint and file name."""
    endpoint, filename = asset
    return url_for(endpoint, filename=filename, v=digest(_path(endpoint, filename)))


def words_address() -> str:
    """Return the address of the words for staff."""
    return url_for("kiosk.keeper_json", v=hashlib.sha256(keeper_words()).hexdigest()[:12])


def addresses(assets: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the addresses of assets."""
    return [address(asset) for asset in assets]


def everything() -> list[str]:
    """Return the addresses of all that the worker keeps beside the page."""
    return [*addresses((*STYLES, *SCRIPTS, ICON)), words_address()]


def version() -> str:
    """Return 12 hex digits that change with anything in the shell: assets, worker, templates."""
    parts = [*everything(), digest(WORKER), *map(digest, TEMPLATES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
