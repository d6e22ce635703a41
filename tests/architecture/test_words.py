"""Whatever a person reads is there in Russian, Belarusian and English, and none of it is stuck in a template."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo

from tests.architecture.template_words import literals
from tools.words import LANGUAGES, complete, entries, extract, folder, forms, read

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(
    path
    for package in ("feedback_app", "kiosk")
    for path in (ROOT / package / "templates").rglob("*")
    if path.suffix in {".html", ".svg", ".txt", ".xml"}
)
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}")


@pytest.fixture(scope="module")
def source() -> Catalog:
    return extract()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_no_word_of_its_own(path: Path) -> None:
    found = literals(path.read_text(encoding="utf-8"))
    assert not found, "\n" + "\n".join(f"{path.relative_to(ROOT)}:{literal.line}: {literal.text}" for literal in found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated(source: Catalog, language: str) -> None:
    catalog = read(language)
    missing = [
        said(message)
        for message in entries(source)
        if not (known := catalog.get(message.id, message.context)) or not complete(known)
    ]
    assert not missing, f"{language}, run `make words` and translate:\n" + "\n".join(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_all_the_forms_of_the_language(language: str) -> None:
    catalog = read(language)
    assert catalog.num_plurals == {"ru": 3, "be": 3, "en": 2}[language]
    short = [
        said(message)
        for message in entries(catalog)
        if message.pluralizable and len(forms(message)) != catalog.num_plurals
    ]
    assert not short


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_the_same_places(language: str) -> None:
    wrong = [said(message) for message in entries(read(language)) if not same_places(message)]
    assert not wrong, f"{language}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    compiled = folder(language) / "messages.mo"
    fresh = io.BytesIO()
    write_mo(fresh, read(language))
    fresh.seek(0)
    with compiled.open("rb") as file:
        assert content(read_mo(file)) == content(read_mo(fresh)), "run `make words`"


def same_places(message: Message) -> bool:
    """Tell whether each form has the placeholders of the source; a singular may leave the number out in English."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    wanted = places(ids[-1])
    found = [places(form) for form in forms(message) if form]
    if len(ids) == 2 and len(found) == 2:
        return found[0] in (places(ids[0]), wanted) and found[1] == wanted
    return all(form == wanted for form in found)


def places(text: str) -> list[str]:
    return sorted(set(PLACEHOLDER.findall(text)))


def said(message: Message) -> str:
    word = message.id if isinstance(message.id, str) else message.id[0]
    where = ", ".join(f"{path}:{line}" for path, line in message.locations[:2])
    return f"{word!r} {where}".rstrip()


def content(catalog: Catalog) -> dict:
    return {(str(message.id), message.context): tuple(forms(message)) for message in entries(catalog)}


@pytest.mark.parametrize(
    ("template", "line", "text"),
    [
        ("<p>\nHello {{ name }}</p>", 2, "Hello {}"),
        ('<img src="a" alt="Shop">', 1, "Shop"),
        ('<a href="{{ url }}"\n   title="Касса">×</a>', 1, "Касса"),
        ('<input type="submit" value="Send">', 1, "Send"),
        ("{% if a %}Yes{% endif %}", 1, "Yes"),
        ("{% trans %}Fine{% endtrans %}\n<b>Адказ</b>", 2, "Адказ"),
        ("{% block page_class %}page{% endblock %}{% block body %}Hello{% endblock %}", 1, "Hello"),
        ("{{ 'Overview' }}", 1, "Overview"),
        ("{{ button(label='Send') }}", 1, "Send"),
        ("<script>alert('x')</script>", 1, "alert('x')"),
        ("{# note -#}\n<h1>\n  {{- n }} stores</h1>", 3, "{} stores"),
    ],
)
def test_a_stuck_word_is_found_at_its_line(template: str, line: int, text: str) -> None:
    assert [(found.line, found.text) for found in literals(template)] == [(line, text)]


@pytest.mark.parametrize(
    "template",
    [
        "<p>{{ _('Hello') }} · 100 % — &times; &nbsp;</p>",
        '<p class="lead" data-screen="question">{% trans n=1 %}One{% pluralize %}{{ n }} many{% endtrans %}</p>',
        '<script type="application/json">{"question": "Как?"}</script><!-- a remark --><style>p { color: red }</style>',
        '<h1>Otklik</h1><button lang="ru" value="ru">RU</button> BE EN',
        '<input type="hidden" name="kind" value="thanks" {% if a %}checked{% endif %}>',
        "{% extends 'base.html' %}{% block page_class %}page {% if a %}wide{% endif %}{% endblock %}",
        "<{{ tag }} class='x'>{{ text }}</{{ tag }}>{# a remark #}",
        "{{ button(label=_('Send'), kind='submit') }}",
        "<td>n = {{ n }}</td><a href='{{ url }}'>/k/{{ token }}</a>",
    ],
)
def test_markup_names_and_translated_words_are_no_stuck_words(template: str) -> None:
    assert literals(template) == []


@pytest.mark.parametrize(
    ("source_word", "translation", "good"),
    [
        ("%(n)d answers", "%(n)d ответов", True),
        ("%(n)d answers", "%(m)d ответов", False),
        ("Value of {name}", "Значение", False),
        (("One answer", "%(n)d answers"), ("One answer", "%(n)d answers"), True),
        (("One answer", "%(n)d answers"), ("%(n)d адказ", "%(n)d адказы", "адказаў"), False),
    ],
)
def test_a_lost_placeholder_is_noticed(source_word: str, translation: str, good: bool) -> None:
    assert same_places(Message(source_word, translation)) is good
