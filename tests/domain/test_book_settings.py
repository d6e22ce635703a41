"""The book's settings: what is kept is read again, and what is wrong is named, each thing at its name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.book_settings import BY_LAW, BookSettings, parse
from feedback_app.domain.deadlines import Term
from feedback_app.domain.errors import Invalid


def wrong(raw: dict[str, Any]) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as caught:
        parse(raw)
    return [(problem.code, problem.field) for problem in caught.value.problems]


def test_what_is_kept_is_read_again() -> None:
    settings = parse({"heads_to": ["a@shop.by"], "heads_daily": True, "own_words": [" крыса ", "крыса"]})
    assert parse(json.loads(json.dumps(settings.stored()))) == settings
    assert settings.own_words == ("крыса",)
    assert parse({}) == BookSettings() == parse(BookSettings().stored())


def test_the_defaults_are_those_of_the_law() -> None:
    settings = BookSettings()
    assert settings.term("BY", "complaint") == Term(15, "calendar")
    assert settings.longest("BY", "complaint") == Term(1, "month")
    assert settings.term("RU", "claim") == Term(10, "calendar")
    assert settings.longest("RU", "claim") is None
    assert settings.term("RU", "thanks") == Term(5, "working")
    assert ("RU", "claim") in BY_LAW
    assert ("RU", "complaint") not in BY_LAW
    assert (settings.retention_years, settings.forward_days, settings.review_answers) == (5, 5, False)


def test_every_wrong_value_is_named() -> None:
    raw = {
        "terms": {"BY": {"claim": {"days": 0, "unit": "calendar"}, "gossip": {}}, "RU": 3},
        "extended": {"BY": {"days": 13, "unit": "month"}, "XX": None},
        "escalate_before": "2",
        "forward_days": True,
        "very_negative": 0.5,
        "review_answers": 1,
        "own_words": ["ok", "<>", "x" * 61],
        "heads_to": ["nobody", "a@b.by"],
    }
    fields = [field for _, field in wrong(raw)]
    assert fields[0] == "terms.RU" or "terms.BY.claim" in fields
    for name in ("extended.BY", "extended.XX", "escalate_before", "forward_days", "very_negative", "review_answers"):
        assert name in fields
    assert wrong({"terms": raw["terms"] | {"RU": {}}}) == [
        ("out_of_range", "terms.BY.claim"),
        ("unknown_choice", "terms.BY.gossip"),
    ]
    assert wrong({"heads_to": ["nobody"]}) == [("bad_address", "heads_to")]
    assert wrong({"heads_to": ["a@b.by\nBcc: c@d.by"]}) == [("bad_address", "heads_to")]
    assert wrong({"own_words": ["a1"]}) == [("bad_word", "own_words")]
    assert wrong({"heads_daily": True}) == [("address_needed", "heads_to")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*BookSettings().stored(), "other"]), JSON, max_size=5))
def test_whatever_stands_there_is_read_or_named(raw: dict[str, Any]) -> None:
    try:
        assert parse(parse(raw).stored()) == parse(raw)
    except Invalid as invalid:
        assert invalid.problems
        assert all(problem.field for problem in invalid.problems)
