"""The settings of the feedback book: kept for the administrator, named where wrong, closed to everybody else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from feedback_app.domain.deadlines import Term
from feedback_app.services import book_settings
from tests.builders import Chain

SignIn = Callable[[str], FlaskClient]
PAGE = "/settings/book"


def filled(client: FlaskClient, **changes: str) -> dict[str, str]:
    """Return what a browser would send of the page, with changes; an empty text of `-` leaves a tick away."""
    page = client.get(f"{PAGE}?lang=en").get_data(as_text=True)
    form = dict(re.findall(r'<input [^>]*?name="([^"]+)" type="(?:text|hidden)"[^>]*? value="([^"]*)"', page))
    form |= dict(re.findall(r'<input [^>]*?name="([^"]+)" type="text" inputmode="numeric"[^>]*? value="([^"]*)"', page))
    form |= dict.fromkeys(re.findall(r'name="([^"]+)" type="checkbox" value="y" checked', page), "y")
    form |= dict(re.findall(r'<select name="([^"]+)".*?<option value="([^"]+)" selected', page, re.DOTALL))
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    assert token
    form |= {"csrf_token": token[1], **changes}
    return {name: value for name, value in form.items() if value != "-"}


def test_the_page_kept_as_it_is_changes_nothing(app_chain: Chain, sign_in: SignIn) -> None:
    client = sign_in("admin")
    before = book_settings.settings_of(app_chain.db)
    assert client.post(PAGE, data=filled(client)).status_code == 303
    assert book_settings.settings_of(app_chain.db) == before


def test_what_the_administrator_types_is_kept(app_chain: Chain, sign_in: SignIn) -> None:
    client = sign_in("admin")
    changes = {
        "terms_RU_complaint": "7",
        "terms_RU_complaint_unit": "calendar",
        "extended_RU": "",
        "very_negative": "\u22120,9",
        "rule_words": "-",
        "own_words": "ртуть\nкрыс*\n",
        "heads_daily": "y",
        "heads_to": "notary@shop.by",
    }
    assert client.post(PAGE, data=filled(client, **changes)).status_code == 303
    kept = book_settings.settings_of(app_chain.db)
    assert kept.term("RU", "complaint") == Term(7, "calendar")
    assert kept.longest("RU", "complaint") is None
    assert (kept.very_negative, kept.rule_words, kept.heads_daily) == (-0.9, False, True)
    assert (kept.own_words, kept.heads_to) == (("ртуть", "крыс*"), ("notary@shop.by",))
    assert "ртуть" in client.get(PAGE).get_data(as_text=True)


def test_what_is_wrong_is_named_at_its_field_and_what_was_typed_stays(app_chain: Chain, sign_in: SignIn) -> None:
    client = sign_in("admin")
    changes = {"terms_BY_claim": "soon", "escalate_before": "99", "heads_to": "nobody", "own_words": "ртуть"}
    answer = client.post(f"{PAGE}?lang=en", data=filled(client, **changes))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for field in ("terms_BY_claim", "escalate_before", "heads_to"):
        assert f'id="{field}-problem"' in page
    assert 'value="soon"' in page
    assert "ртуть" in page
    assert book_settings.settings_of(app_chain.db).escalate_before == 2


@pytest.mark.parametrize("role", ["manager", "director", "coordinator", "mystery_shopper"])
def test_the_page_is_the_administrator_s(sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/visits").get_data(as_text=True)


def test_the_page_says_what_a_lawyer_confirms(sign_in: SignIn) -> None:
    page = sign_in("admin").get(f"{PAGE}?lang=en").get_data(as_text=True)
    assert "have the chain’s lawyer confirm" in page
    assert f'href="{PAGE}"' in page
