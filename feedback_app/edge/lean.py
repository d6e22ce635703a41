"""A short way for what kiosks post all day: nothing of a person's visit runs for it, and all that guards it does."""

from __future__ import annotations

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue

from feedback_app.edge import headers, rights

LEAN = frozenset({"api.post_responses"})
"""Endpoints that know no session, sign-in, form token or language kept in a cookie, and count their own limits.

Their rights, the table of errors and the headers of every answer hold as everywhere.
"""


class Sessions(SecureCookieSessionInterface):
    """Sessions in signed cookies; where no cookie came nothing is prepared to read one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request's cookie, an empty one without any cookie."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)


class Application(Flask):
    """Flask that runs what libraries hang on every request for all endpoints but the lean ones."""

    session_interface = Sessions()

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Run what comes before the view: of a lean one the check of its right alone."""
        return rights.enforce() if request.endpoint in LEAN else super().preprocess_request()

    def process_response(self, response: Response) -> Response:
        """Run what comes after the view: of a lean one the headers of every answer alone."""
        if request.endpoint in LEAN:
            return headers.harden(response, https=self.config["OTKLIK_SETTINGS"].https)
        return super().process_response(response)
