"""Answers packed with gzip: the kiosk's shell and the static files, for a shop's bad line.

Only what holds no secret is packed, so that its size tells nothing: never a page with a secret token or a sign-in.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from flask import Response, make_response, request
from flask.blueprints import BlueprintSetupState

STATIC = ("static", "kiosk.static")
WORDY = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
WORTH_IT = 500
KEPT = 128

View = Callable[..., Any]


@lru_cache(maxsize=KEPT)
def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _pack(response: Response) -> Response:
    if response.status_code != 200 or not (response.mimetype or "").startswith(WORDY):
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") <= 0:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < WORTH_IT:
        return response
    response.set_data(_gzip(body))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    tag, _weak = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)
    return response


def packed(view: View) -> View:
    """Let a view's answer travel packed to whoever understands gzip."""

    @wraps(view)
    def pack(*args: object, **kwargs: object) -> Response:
        return _pack(make_response(view(*args, **kwargs)))

    return pack


def pack_static(state: BlueprintSetupState) -> None:
    """Let the static files of the app travel packed too."""
    for endpoint in STATIC:
        if endpoint in state.app.view_functions:
            state.app.view_functions[endpoint] = packed(state.app.view_functions[endpoint])
