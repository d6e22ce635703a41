"""Catalogues lose no translation, and guess none."""

from __future__ import annotations

from babel.messages.catalog import Catalog

from tools.words import bring_back, complete, entries, fill_from_source


def test_a_word_that_comes_back_keeps_its_translation() -> None:
    catalog = Catalog(locale="be")
    catalog.add("Later", "Пазней")
    catalog.update(Catalog(), no_fuzzy_matching=True)
    assert catalog.get("Later") is None
    with_later = Catalog()
    with_later.add("Later")
    bring_back(catalog)
    catalog.update(with_later, no_fuzzy_matching=True)
    assert catalog.get("Later").string == "Пазней"
    assert not catalog.obsolete


def test_english_words_stand_for_themselves_with_their_plural() -> None:
    catalog = Catalog(locale="en")
    catalog.add("Later")
    catalog.add(("One answer", "%(n)d answers"))
    fill_from_source(catalog)
    assert catalog.get("Later").string == "Later"
    assert catalog.get("One answer").string == ("One answer", "%(n)d answers")


def test_an_empty_form_or_a_guess_is_no_translation() -> None:
    catalog = Catalog(locale="be")
    catalog.add(("One answer", "%(n)d answers"), ("%(n)d адказ", "%(n)d адказы", ""))
    catalog.add("Later", "Потым", flags=["fuzzy"])
    assert [complete(message) for message in entries(catalog)] == [False, False]
