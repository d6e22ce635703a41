"""Headers of every answer: strict content security, no sniffing, no framing, little referrer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from flask import Flask, Response, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
FIXED = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000; includeSubDomains"


_NOT_KEPT = {"Cache-Control": "no-store"}
_KEPT_BY_BROWSERS = ("static", "kiosk.static")


@cache
def of_answers(*, https: bool, kept: bool = False) -> Mapping[str, str]:
    """Return the headers of every answer; `kept` says whether browsers may keep it."""
    return FIXED | ({} if kept else _NOT_KEPT) | ({"Strict-Transport-Security": HSTS} if https else {})


def init(app: Flask, *, https: bool) -> None:
    """Set the headers after every request; HSTS where the base URL is https."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in of_answers(https=https, kept=request.endpoint in _KEPT_BY_BROWSERS).items():
            response.headers.setdefault(name, value)
        return response
