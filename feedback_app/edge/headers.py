"""Headers of every answer: strict content security, no sniffing, no framing, little referrer."""

from __future__ import annotations

from functools import partial

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


_IN_ANSWERS = {"Cache-Control": "no-store"}
_KEPT_BY_BROWSERS = ("static", "kiosk.static")


def harden(response: Response, *, https: bool) -> Response:
    """Set the headers of every answer that it does not carry yet."""
    wanted = FIXED if request.endpoint in _KEPT_BY_BROWSERS else FIXED | _IN_ANSWERS
    if https:
        wanted = wanted | {"Strict-Transport-Security": HSTS}
    there = {name.lower() for name, _ in response.headers}
    response.headers.extend([(name, value) for name, value in wanted.items() if name.lower() not in there])
    return response


def init(app: Flask, *, https: bool) -> None:
    """Set the headers after every request; HSTS where the base URL is https."""
    app.after_request(partial(harden, https=https))
