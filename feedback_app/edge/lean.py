"""A short way for what kiosks send all day: a plain answer is given without any of what serves a person's visit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from feedback_app.domain.access import Right
from feedback_app.edge import headers, rights

Environ = dict[str, Any]
ShortWay = Callable[["Application", Environ], bytes | None]
"""Returns the JSON of a plain answer, or None where the view is to answer."""


class Application(Flask):
    """Flask with short ways past it.

    A short way belongs to an endpoint of the one table of routes and holds only while that endpoint is a device's. It
    knows no request, session, sign-in or language. Whatever is not plain goes the whole way: the view, the table of
    errors, the hooks. Answers carry the same headers on both.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._short_ways: dict[tuple[str, str], tuple[str, ShortWay]] = {}

    def shorten(self, endpoint: str, way: ShortWay) -> None:
        """Let the POSTs of an endpoint try a short way first."""
        (rule,) = self.url_map.iter_rules(endpoint)
        self._short_ways["POST", rule.rule] = (endpoint, way)

    def wsgi_app(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer the short way where there is one and it has an answer, else as Flask does."""
        found = self._short_ways.get((environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")))
        if found is not None and rights.right_of(self, found[0]) is Right.DEVICE:
            body = found[1](self, environ)
            if body is not None:
                fixed = headers.of_answers(https=self.config["OTKLIK_SETTINGS"].https)
                own = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
                start_response("200 OK", [*own, *fixed.items()])
                return [body]
        return super().wsgi_app(environ, start_response)
