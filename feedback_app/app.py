"""The only place where the parts are wired together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from feedback_app import config as settings_module
from feedback_app.api import delivery
from feedback_app.api.health import blueprint as health
from feedback_app.api.views import blueprint as api
from feedback_app.edge import errors, headers, languages, limits, rights, sign_in
from feedback_app.edge.lean import Application
from feedback_app.services import own_aspects, register
from feedback_app.services.photos import REQUEST_LIMIT
from feedback_app.storage.database import Database
from feedback_app.web.views import blueprint as web
from kiosk import shell
from kiosk.views import blueprint as kiosk

MIB = 1024 * 1024
FORMS_WITH_OWN_CSRF_ANSWER = ("kiosk.survey", "kiosk.book", "kiosk.follow", "kiosk.visit")
"""Forms that answer a stale token themselves, with what was typed still there."""
FORMS_WITH_PHOTOS = ("kiosk.book", "web.paper_entry")
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class SubPath:
    """Serve below the sub-path of the base URL, whether or not the proxy in front cuts it off."""

    def __init__(self, app: WsgiApp, path: str) -> None:
        self._app = app
        self._path = path

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Move the sub-path from the path to the script name."""
        environ["SCRIPT_NAME"] = self._path
        path = environ.get("PATH_INFO", "")
        if f"{path}/".startswith(f"{self._path}/"):
            environ["PATH_INFO"] = path[len(self._path) :] or "/"
        return self._app(environ, start_response)


def _cookies(settings: settings_module.Settings) -> dict[str, Any]:
    secure = settings.https
    return {
        "SESSION_COOKIE_NAME": "__Host-otklik" if secure else "otklik",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "REMEMBER_COOKIE_NAME": "__Host-otklik-remember" if secure else "otklik-remember",
        "REMEMBER_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_DURATION": timedelta(days=30),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": 8 * MIB + 1,  # the API takes 8 MiB whole: what reaches this was cut off
        "MAX_FORM_MEMORY_SIZE": MIB,
        "MAX_FORM_PARTS": 500,
    }


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the WSGI app.

    `config` overrides the environment and `otklik.toml`: keys `OTKLIK_*` are settings, all others go to Flask.
    Raises BadSetting where a setting cannot be understood.
    """
    settings = settings_module.load(config)
    app = Application(__name__, static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        OTKLIK_BASE_URL=settings.base_url,
        OTKLIK_SETTINGS=settings,
        OTKLIK_SHELL_VERSION=shell.version,
        **_cookies(settings),
    )
    app.config.update({key: value for key, value in (config or {}).items() if not key.startswith("OTKLIK_")})
    app.json.sort_keys = False  # type: ignore[attr-defined]
    db = Database(settings.database_url)
    own_aspects.use(db, settings.instance)
    register.use(db, settings.register_key, settings.instance)
    app.extensions["otklik"] = db

    languages.init(app, str(Path(__file__).parent / "translations"))
    errors.init(app)
    headers.init(app, https=settings.https)
    limits.init(app, enabled=settings.rate_limits)
    limits.widen(app, dict.fromkeys(FORMS_WITH_PHOTOS, REQUEST_LIMIT))
    csrf = CSRFProtect(app)
    sign_in.init(app, db, salt=hashlib.sha256(f"salt:{settings.secret_key}".encode()).hexdigest())
    app.before_request(rights.enforce)

    for blueprint in (kiosk, web, api, health):
        app.register_blueprint(blueprint)
    csrf.exempt(api)
    for endpoint in FORMS_WITH_OWN_CSRF_ANSWER:
        csrf.exempt(app.view_functions[endpoint])
    app.shorten("api.post_responses", delivery.short_way)
    limits.limit_posts(app, "security.login", limits.SIGN_INS)
    limits.limit_posts(app, "kiosk.survey", limits.SURVEY_RESPONSES)
    limits.limit_posts(app, "kiosk.book", limits.BOOK_ENTRIES)
    limits.limit_all(app, "kiosk.follow", limits.FOLLOWINGS)

    wsgi: Any = app.wsgi_app
    if settings.base_path:
        wsgi = SubPath(wsgi, settings.base_path)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        wsgi = ProxyFix(wsgi, x_for=hops, x_proto=hops, x_host=hops)
    app.wsgi_app = wsgi  # type: ignore[method-assign]
    return app
