"""QR codes of the collection points, and the poster that carries one."""

from __future__ import annotations

import io

import segno
from flask import Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from feedback_app.domain.access import Right
from feedback_app.domain.forms import LANGUAGES, word
from feedback_app.edge.context import db, language
from feedback_app.edge.rights import needs
from feedback_app.services import catalogue
from feedback_app.services.clock import now
from kiosk.blueprint import blueprint as bp

QUIET_ZONE = 4
"""Modules of white around the code, as ISO/IEC 18004 asks."""
SCALES = (1, 40)
"""Pixels a module, at least and at most."""
USUAL_SCALE = 12


def absolute(path: str) -> str:
    """Return the absolute address of a path: under the chain's base URL, else under this server's own."""
    base = current_app.config.get("OTKLIK_BASE_URL") or request.url_root
    return f"{str(base).rstrip('/')}{path}"


def survey_address(token: str) -> str:
    """Return the absolute address of a point's survey."""
    return absolute(f"/q/{token}")


def code_of(address: str) -> segno.QRCode:
    """Return the QR code of an address; it stays readable with a quarter of it scratched (level Q)."""
    return segno.make(address, error="q", micro=False, boost_error=False)


def drawing(address: str, kind: str, scale: int = USUAL_SCALE) -> bytes:
    """Return the code as the bytes of a file: `svg`, or `png` of `scale` pixels a module."""
    out = io.BytesIO()
    if kind == "svg":
        code_of(address).save(out, kind="svg", border=QUIET_ZONE, light="#fff", omitsize=True, xmldecl=False)
    else:
        code_of(address).save(out, kind="png", border=QUIET_ZONE, scale=scale)
    return out.getvalue()


def inside(address: str) -> str:
    """Return the code as the source of an image that stands in the page itself: its address is asked for nowhere."""
    return str(code_of(address).svg_data_uri(border=QUIET_ZONE, light="#fff", omitsize=True))


def _scale() -> int:
    wanted = request.args.get("scale", USUAL_SCALE, type=int)
    return max(SCALES[0], min(SCALES[1], wanted))


def _known(token: str) -> str:
    """Return the address of a point's survey, also after its end: there the reader is told of it."""
    catalogue.survey_page(db(), token, now())
    return survey_address(token)


@bp.get("/q/<token>/qr.svg")
@needs(Right.PUBLIC)
def qr_svg(token: str) -> ResponseReturnValue:
    """Return the code of a point's survey as SVG, at any size sharp."""
    return Response(drawing(_known(token), "svg"), mimetype="image/svg+xml")


@bp.get("/q/<token>/qr.png")
@needs(Right.PUBLIC)
def qr_png(token: str) -> ResponseReturnValue:
    """Return the code of a point's survey as PNG; `scale` is pixels a module, 1 to 40."""
    return Response(drawing(_known(token), "png", _scale()), mimetype="image/png")


@bp.get("/q/<token>/poster")
@needs(Right.PUBLIC)
def poster(token: str) -> ResponseReturnValue:
    """Show the poster of a touchpoint, A5, ready to print: the reader's language large, the other two beneath.

    Of a survey that has ended it says so and carries no code, so that nobody hangs it up.
    """
    page = catalogue.survey_page(db(), token, now())
    address = survey_address(token)
    return render_template(
        "kiosk/poster.html",
        page=page,
        ended=isinstance(page, catalogue.EndedSurvey),
        token=token,
        address=address,
        short=address.split("://", 1)[-1],
        sayings=[_sayings(code, page) for code in sorted(LANGUAGES, key=lambda code: code != language())],
    )


def _sayings(code: str, page: catalogue.PointPage | catalogue.EndedSurvey) -> dict[str, str]:
    by_receipt = isinstance(page, catalogue.PointPage) and page.at.one_per_receipt
    with force_locale(code):
        return {
            "code": code,
            "place": word(page.touchpoint_names, code),
            "call": _("Tell us how it was"),
            "how": _("Point your phone's camera here"),
            "promise": _("30 seconds; no name is asked") if by_receipt else _("30 seconds, anonymous"),
            "ended": _("This survey has ended"),
        }
