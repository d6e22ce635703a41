"""Coming back to the page that led to a form."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from flask import request

NEXT = "next"


def here() -> str:
    """Return the address of this page as another one may lead back to it; the language stays as the reader has it."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    path = f"{request.script_root}{quote(request.path)}"
    return f"{path}?{urlencode(kept)}" if kept else path


def asked_for() -> str | None:
    """Return where the address asks to lead back to; None where it asks for nothing or for another site."""
    target = request.args.get(NEXT, "")
    return target if is_ours(target, request.script_root) else None


def is_ours(target: str, root: str = "") -> bool:
    """Say whether an address is a page of this site: a plain path below its root, without a fragment.

    Browsers read a backslash as a slash and skip control characters, so that neither is let through.
    """
    if not target.startswith(f"{root}/") or target.startswith("//"):
        return False
    if "\\" in target or "#" in target or any(ord(sign) <= 32 or ord(sign) == 127 for sign in target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc
