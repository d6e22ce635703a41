"""Cases that open by themselves: what a response says, against the chain's rules."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import case_rules, journey, misuse
from feedback_app.domain.book_settings import BookSettings
from feedback_app.domain.case_rules import Rules
from feedback_app.services import book_settings, terms
from feedback_app.services.preparing import Prepared, case_row
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Store

_stores = Store.__table__
log = logging.getLogger(__name__)


def rules_of(settings: BookSettings) -> Rules:
    """Return the rules that are on."""
    return Rules(
        very_negative=settings.very_negative if settings.rule_very_negative else None,
        words=case_rules.dangers(settings.own_words) if settings.rule_words else None,
    )


def speaks_of_danger(settings: BookSettings, text: str) -> bool:
    """Say whether a text opens a case by its words alone."""
    return case_rules.reason_of(Rules(None, rules_of(settings).words), text=text) is not None


def is_left_out(item: Prepared) -> bool:
    """Say whether a response turned out to be no customer's, as far as its case goes."""
    tone_alone = item.case is not None and item.case["reason"] == case_rules.VERY_NEGATIVE
    return tone_alone and _is_suspicious(item)


def _is_suspicious(item: Prepared) -> bool:
    return any(flag in misuse.FLAGS for flag in item.row["flags"])


def note_cases(db: Database, prepared: Sequence[Prepared], failed_critical: bool = False) -> None:
    """Give each response that calls for it the case that it opens; never raises, as the responses come first."""
    heard = [item for item in prepared if failed_critical or _is_heard(item)]
    if not heard:
        return
    try:
        settings = book_settings.settings_of(db)
        rules = rules_of(settings)
        reasons = [(item, _reason(item, rules, failed_critical)) for item in heard]
        opening = [(item, reason) for item, reason in reasons if reason is not None]
        if opening:
            _give(db, settings, opening)
    except Exception:
        log.exception("the rules that open cases could not be applied to %d responses", len(heard))


def _is_heard(item: Prepared) -> bool:
    return item.row["comment"] is not None and item.row["channel"] in case_rules.LIVE_CHANNELS


def _reason(item: Prepared, rules: Rules, failed_critical: bool) -> str | None:
    return case_rules.reason_of(
        rules,
        text=item.row["comment"],
        polarity=item.row["sentiment"],
        label=item.row["sentiment_label"],
        failed_critical=failed_critical,
        suspicious=_is_suspicious(item),
    )


def _give(db: Database, settings: BookSettings, opening: Sequence[tuple[Prepared, str]]) -> None:
    with db.engine.connect() as connection:
        places = _places(connection, {item.row["store_id"] for item, _ in opening})
    for item, reason in opening:
        zone, country = places[item.row["store_id"]]
        received_on = item.row["received_at"].astimezone(ZoneInfo(zone)).date()
        due_on = terms.response_due_by(settings, received_on, country)
        item.tells = True
        item.case = case_row(item, item.stage or journey.WHOLE_VISIT_STAGE, reason, due_on)


def _places(connection: Connection, store_ids: set[int]) -> dict[int, tuple[str, str]]:
    query = sa.select(_stores.c.id, _stores.c.timezone, _stores.c.country).where(_stores.c.id.in_(sorted(store_ids)))
    return {row.id: (row.timezone, row.country) for row in connection.execute(query)}
