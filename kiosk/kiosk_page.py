"""The kiosk page of a collection point, and what a device needs to keep it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Response, current_app, jsonify, make_response, render_template, request, url_for
from jinja2.utils import htmlsafe_json_dumps

from feedback_app.domain.access import Right
from feedback_app.domain.forms import LANGUAGES, Form
from feedback_app.edge.context import db, language
from feedback_app.edge.rights import needs
from feedback_app.services.catalogue import PointPage, point_page
from feedback_app.services.kiosk_settings import public_settings
from kiosk import shell
from kiosk.blueprint import blueprint
from kiosk.kiosk_words import LANGUAGE_NAMES, kiosk_words
from kiosk.packing import pack_static, packed

blueprint.record(pack_static)

PAGE_HEADER = "Otklik-Page"
SHELL_HEADER = "Otklik-Shell"
GROUND = "#f6f5f2"
ICON_SIZES = (192, 512)


def _scope() -> str:
    return f"{request.script_root}/k/"


def _rules(form: Form) -> list[dict[str, Any]]:
    """Return what the page's script has to know about each question."""
    return [
        {
            "key": question.key,
            "type": question.type,
            "show_if": question.show_if
            and {
                "question": question.show_if.question,
                "at_least": question.show_if.at_least,
                "at_most": question.show_if.at_most,
                "any_of": question.show_if.any_of,
            },
        }
        for question in form.questions()
    ]


def _data(page: PointPage, words: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return all that the script works with; its digest `page` changes with anything but the reader's language."""
    data = {
        "point": page.at.token,
        "form_version": page.at.version,
        "questions": _rules(page.at.form),
        "words": words,
        "settings": public_settings(db(), page, request.script_root),
        "send_to": f"{request.script_root}/api/v1/responses",
        "book_at": url_for("kiosk.book", code=page.store_code, kiosk=page.at.token),
        "device_at": f"{request.script_root}/api/v1/device",
        "service_worker": url_for("kiosk.service_worker"),
        "scope": _scope(),
        "shell": shell.version(),
        "keeper_words": shell.words_address(),
    }
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    return {**data, "page": digest, "language": language()}


@blueprint.get("/k/<token>")
@needs(Right.PUBLIC)
@packed
def kiosk(token: str) -> Response:
    """Show the kiosk page of a collection point; 404 where the token is unknown."""
    page = point_page(db(), token, "kiosk")
    words = kiosk_words(page)
    data = _data(page, words)
    body = render_template(
        "kiosk/kiosk.html",
        questions=list(page.at.form.questions()),
        words=words[data["language"]],
        data=data,
        # Cyrillic as it is: escaped, it would weigh three times as much.
        data_json=htmlsafe_json_dumps(data, dumps=json.dumps, ensure_ascii=False, separators=(",", ":")),
        names=LANGUAGE_NAMES,
        codes=LANGUAGES,
        styles=[shell.part_address("shell.css")],
        scripts=[shell.part_address("shell.js")],
        icon=shell.address(shell.ICON),
        ground=GROUND,
    )
    response = make_response(body)
    response.headers[PAGE_HEADER] = data["page"]
    response.headers[SHELL_HEADER] = data["shell"]
    response.headers["Cache-Control"] = "no-cache"
    # The worker asks for the page that the browser has just loaded: it need not come over the line twice.
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/k/service_worker.js")
@needs(Right.PUBLIC)
@packed
def service_worker() -> Response:
    """Send the worker that keeps the kiosk's shell, with the list of what it keeps."""
    known = {"version": shell.version(), "scope": _scope(), "assets": shell.everything()}
    source = f"const SHELL = {json.dumps(known)};\n{shell.worker().decode()}"
    response = current_app.response_class(source, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = _scope()
    response.headers["Cache-Control"] = "no-cache"
    return response


def _lasting(body: bytes, digest: str, mimetype: str) -> Response:
    """Return what stays as it is under its address, so long as that holds its digest."""
    response = current_app.response_class(body, mimetype=mimetype)
    lasts = request.args.get("v") == digest
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasts else "no-cache"
    return response


@blueprint.get("/k/shell.css", defaults={"name": "shell.css"})
@blueprint.get("/k/shell.js", defaults={"name": "shell.js"})
@needs(Right.PUBLIC)
@packed
def shell_part(name: str) -> Response:
    """Send all styles or all scripts of the kiosk page in one."""
    return _lasting(*shell.part(name), "text/css" if name.endswith(".css") else "text/javascript")


@blueprint.get("/k/keeper.json")
@needs(Right.PUBLIC)
@packed
def keeper_json() -> Response:
    """Send the words of the pages for staff."""
    return _lasting(*shell.words(), "application/json")


@blueprint.get("/k/<token>/app.webmanifest")
@needs(Right.PUBLIC)
@packed
def manifest(token: str) -> Response:
    """Describe the kiosk page as an app that can be installed on the device; 404 where the token is unknown."""
    page = point_page(db(), token, "kiosk")
    address = url_for("kiosk.kiosk", token=token)
    drawn = {"src": shell.address(shell.ICON), "sizes": "any", "type": "image/svg+xml"}
    icons = [
        {"src": shell.address(("kiosk.static", f"icon-{size}.png")), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in ICON_SIZES
    ]
    response = jsonify(
        id=address,
        start_url=address,
        scope=_scope(),
        name=kiosk_words(page)[language()]["_place"],
        short_name="Otklik",
        display="fullscreen",
        orientation="any",
        background_color=GROUND,
        theme_color=GROUND,
        # The ground reaches to the edge and the face stays within four fifths, so any mask leaves it whole.
        icons=[drawn, *icons, {**icons[-1], "purpose": "maskable"}],
    )
    response.mimetype = "application/manifest+json"
    return response
