"""Three languages on every page, and numbers, dates and words as the reader writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from flask import Flask, Response, current_app, g, request
from flask_babel import Babel, get_locale
from flask_login import current_user

from feedback_app.domain.forms import LANGUAGES, word
from feedback_app.edge.context import NOBODY, db, language, reader
from feedback_app.edge.numerals import written
from feedback_app.services.chain import is_demo

COOKIE = "lang"
DEFAULT = "ru"
YEAR = 365 * 24 * 3600


def choose() -> str:
    """Return the language of the request: asked for, kept in the cookie, the user's, the browser's, Russian."""
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        g.language_asked = asked
        return asked
    kept = request.cookies.get(COOKIE)
    if kept in LANGUAGES:
        return kept
    own = getattr(current_user, "language", None)
    if own in LANGUAGES:
        return str(own)
    return request.accept_languages.best_match(LANGUAGES) or DEFAULT


def keep(response: Response) -> Response:
    """Keep the language that was asked for in a cookie; on a kiosk nothing of one shopper is left for the next."""
    if "language_asked" in g and "kiosk" not in request.args:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(COOKIE, g.language_asked, max_age=YEAR, samesite="Lax", secure=secure, httponly=True)
    return response


def number(value: float | None, digits: int = 0) -> str:
    """Return a number in the reader's locale, with a thin space in thousands for Russian and Belarusian."""
    return written(value, digits, get_locale())


def signed(value: float | None, digits: int = 0) -> str:
    """Return a number with its sign, also a plus."""
    text = number(value, digits)
    return f"+{text}" if value is not None and round(value, digits) > 0 else text


def day(value: date, form: str = "medium") -> str:
    """Return a date in the reader's locale."""
    return str(format_date(value, format=form, locale=get_locale()))


def day_time(value: datetime, timezone: str = "Europe/Minsk") -> str:
    """Return a moment in a store's time zone, in the reader's locale."""
    local = value.astimezone(ZoneInfo(timezone))
    return f"{day(local.date())}, {format_time(local, format='HH:mm', locale=get_locale())}"


def lang_url(code: str) -> str:
    """Return the address of this page in another language."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{request.script_root}{quote(request.path)}?{urlencode([*kept, ('lang', code)])}"


def _words(words: Mapping[str, str] | None) -> str:
    return word(words, language())


def init(app: Flask, translations: str) -> None:
    """Set up Babel and what templates need to speak three languages."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES=translations, BABEL_DEFAULT_LOCALE="en")
    Babel(app, locale_selector=choose)
    app.after_request(keep)

    @app.context_processor
    def who_reads() -> dict[str, object]:
        if g.get("database_lost"):
            return {"reader": NOBODY, "demo": False}
        return {"reader": reader(), "demo": is_demo(db())}

    @app.context_processor
    def words_for_templates() -> dict[str, object]:
        return {
            "language": language(),
            "languages": LANGUAGES,
            "word": _words,
            "number": number,
            "signed": signed,
            "date": day,
            "day_time": day_time,
            "lang_url": lang_url,
        }
