"""The token that a request bears, and refusing one without."""

from __future__ import annotations

from typing import NoReturn

from flask import abort, jsonify, make_response, request
from flask.typing import ResponseReturnValue

TOKEN_LIMIT = 256


def bearer() -> str:
    """Return the token of the request, empty where it bears none."""
    return token_of(request.headers.get("Authorization", ""))


def token_of(header: str) -> str:
    """Return the token of an Authorization header, empty where it bears none."""
    scheme, _, token = header.partition(" ")
    return token.strip()[:TOKEN_LIMIT] if scheme.lower() == "bearer" else ""


def refuse(status: int, code: str, text: str, **headers: str) -> ResponseReturnValue:
    """Return a refusal as programs get it."""
    answer = make_response(jsonify(error=code, message=text), status)
    answer.headers.update(headers)
    return answer


def unauthorized() -> NoReturn:
    """End the request with 401: its token is unknown, revoked or of the wrong kind."""
    answer = make_response(jsonify(error="unauthorized", message="The token is unknown or revoked."), 401)
    answer.headers["WWW-Authenticate"] = "Bearer"
    abort(answer)
