"""Every staff page: three languages, rights and scope, filters that forgive, nothing that the policy forbids."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.scene import Reader, text_of, title_of

FIGURES = ["/", "/map", "/map?sources=1", "/map/stage/deal", "/map/touchpoint/checkout"]
PAGES = [*FIGURES, "/points", "/kiosks", "/visits"]
LANGUAGES = ["ru", "be", "en"]
OTHERS = ("Брест, Солнечная", "Брэст, Сонечная", "Brest, Sonechnaya")
"""Store 002 in the three languages."""
BAD = [
    "days=0",
    "days=-1",
    "days=x'--",
    "since=2026-13-45",
    "since=x&until=y",
    "since=2026-03-02&until=2026-03-01",
    "since=9999-12-31&until=9999-12-31",
    "since=0001-01-01",
    "store=999",
    "store=%00",
    "store=001&store=none",
    "region=moon",
    "channel=telepathy",
    "touchpoint=../../etc",
    "flagged=maybe",
    "cursor=@@@",
    "days=7&days=90",
    "sources=2",
    "store=none&region=moon&channel=foo&touchpoint=bar&since=x&until=y&days=z&flagged=no&cursor=1",
    "lang=xx",
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_there_in_three_languages(read: Reader, path: str, language: str) -> None:
    page = read(path, language=language)
    assert f'<html lang="{language}"' in page
    assert title_of(page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_to_the_policy(read: Reader, path: str) -> None:
    page = read(path)
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique(read: Reader, path: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', read(path))
    assert sorted({name for name in ids if ids.count(name) > 1}) == []


@pytest.mark.parametrize("path", FIGURES)
@pytest.mark.parametrize("query", BAD)
def test_a_bad_filter_is_forgiven(read: Reader, path: str, query: str) -> None:
    assert title_of(read(f"{path}{'&' if '?' in path else '?'}{query}"))


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("days=8", "days", "Choose 7, 30 or 90 days"),
        ("since=2026-13-01", "since", "“2026-13-01” is no date"),
        ("since=2026-03-02&until=2026-03-01", "until", "The last day lies before the first"),
        ("store=999", "store", "There is no such store"),
        ("channel=telepathy", "channel", "There is no such source"),
    ],
)
def test_a_refused_filter_is_explained_beside_its_field(read: Reader, query: str, field: str, message: str) -> None:
    found = re.search(rf'<p class="problem" id="filter-{field}-problem">([^<]*)</p>', read(f"/?{query}"))
    assert found
    assert message in text_of(found[1])


def test_a_good_filter_needs_no_explanation(read: Reader) -> None:
    assert 'class="problem"' not in read("/?days=7&store=001&channel=button")


@pytest.mark.parametrize("path", FIGURES)
def test_filters_stay_from_page_to_page(read: Reader, path: str) -> None:
    glue = "&" if "?" in path else "?"
    page = read(f"{path}{glue}days=90&store=001")
    places = re.search(r'<nav class="places".*?</nav>', page, re.DOTALL)
    assert places
    kept = re.findall(r'href="(/(?:map)?\?[^"]*)"', places[0])
    assert len(kept) == 2
    assert all({"days=90", "store=001"} <= set(link.partition("?")[2].split("&amp;")) for link in kept)


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_is_asked_to_sign_in(filled_app: Flask, path: str) -> None:
    answer = filled_app.test_client().get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


@pytest.mark.parametrize("role", ["coordinator", "mystery_shopper"])
def test_who_may_not_read_figures_comes_to_the_visits(signed_in: Callable[[str], FlaskClient], role: str) -> None:
    assert signed_in(role).get("/").location == "/visits"


@pytest.mark.parametrize("role", ["coordinator", "mystery_shopper"])
@pytest.mark.parametrize("path", [path for path in PAGES if path not in ("/", "/visits")])
def test_who_may_not_read_figures_gets_none(read: Reader, role: str, path: str) -> None:
    assert "smiley index" not in text_of(read(path, role, status=403)).lower()


@pytest.mark.parametrize("path", [*PAGES, *(f"{path}{'&' if '?' in path else '?'}store=002" for path in FIGURES)])
def test_a_manager_never_meets_another_store(read: Reader, path: str) -> None:
    page = read(path, "manager")
    assert not [name for name in OTHERS if name in page]
    assert "Letter" not in page
    assert "/book/002" not in page


@pytest.mark.parametrize("path", ["/", "/points", "/visits"])
def test_a_director_meets_every_store(read: Reader, path: str) -> None:
    assert "Brest, Sonechnaya" in read(path)


def test_the_language_switch_keeps_the_filters(read: Reader) -> None:
    page = read("/map?days=7&store=001")
    switch = re.findall(r'<a href="([^"]*)" lang="be"', page)
    assert len(switch) == 1
    assert {"days=7", "store=001", "lang=be"} <= set(switch[0].partition("?")[2].replace("&amp;", "&").split("&"))


def test_the_demo_says_that_it_is_one(read: Reader) -> None:
    assert "Demo chain: every figure is made up" in text_of(read("/"))


@pytest.mark.parametrize("path", ["/nothing", "/map/stage/moon", "/map/touchpoint/moon"])
def test_an_address_with_nothing_behind_it_says_what_to_do(read: Reader, path: str) -> None:
    said = text_of(read(path, status=404))
    assert "Error 404" in said
    assert "Check the address" in said


def test_signing_out_takes_a_form_and_works(app: Flask, sign_in: Callable[[str], FlaskClient]) -> None:
    browser = sign_in("director")
    token = re.search(
        r'action="/logout">\s*<input type="hidden" name="csrf_token" value="([^"]+)"', browser.get("/").text
    )
    assert token
    assert browser.post("/logout", data={}).status_code == 400
    assert browser.get("/map").status_code == 200
    assert browser.post("/logout", data={"csrf_token": token[1]}).status_code == 302
    assert browser.get("/map").status_code == 302


def test_a_wrong_password_says_so_and_keeps_the_address(app: Flask) -> None:
    browser = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/login?lang=en").text)
    assert token
    data = {"email": "director@otklik.example", "password": "wrong", "csrf_token": token[1]}
    page = browser.post("/login", data=data).text
    assert 'class="problem"' in page
    assert 'value="director@otklik.example"' in page
    assert "wrong" not in page
