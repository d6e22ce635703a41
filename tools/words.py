"""Collect the words to translate and bring the catalogues up to date: `make words`.

The words in the source are the English ones. New words arrive empty in Russian and Belarusian (the tests name
them), in English as they stand. Nothing is guessed from similar words: a guess looks like a translation.
"""
# ruff: noqa: T201 -- a command line tool that speaks to its user

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
MAPPING = ROOT / "babel.cfg"
TRANSLATIONS = ROOT / "feedback_app" / "translations"
SOURCE_LANGUAGE = "en"
LANGUAGES = ("ru", "be", SOURCE_LANGUAGE)
HEADER = {
    "header_comment": "# The words of Otklik; kept up to date by `make words`.",
    "project": "Otklik",
    "version": "interface",
    "msgid_bugs_address": "the repository's issues",
    "last_translator": "Otklik contributors",
    "language_team": "Otklik contributors",
}
# babel's notation: which argument is the word, its plural, and (c) its context.
KEYWORDS: dict[str, tuple | None] = {
    "_": None,
    "_l": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def main() -> None:
    """Extract, update the three catalogues, compile them, say what is still to translate."""
    template = extract()
    for language in LANGUAGES:
        catalog = read(language)
        bring_back(catalog)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        if language == SOURCE_LANGUAGE:
            fill_from_source(catalog)
        write(language, catalog)
        empty = sum(not complete(message) for message in entries(catalog))
        print(f"{language}: {len(catalog)} words, {empty} to translate")


def extract() -> Catalog:
    """Return all words of the templates and the code, sorted; a template with a fault raises its error."""
    with MAPPING.open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    catalog = Catalog(charset="utf-8")
    found = extract_from_dir(
        ROOT, methods, options, keywords=KEYWORDS, comment_tags=["translators:"], strip_comment_tags=True
    )
    for path, line, word, comments, context in sorted(found, key=lambda item: (str(item[2]), item[0], item[1])):
        catalog.add(word, None, [(path, line)], auto_comments=comments, context=context)
    return catalog


def entries(catalog: Catalog) -> Iterator[Message]:
    """Yield the words of a catalogue without its header."""
    return (message for message in catalog if message.id)


def forms(message: Message) -> tuple[str, ...]:
    """Return the translation's forms: one, or one a plural form."""
    if isinstance(message.string, str):
        return (message.string,)
    return tuple(form or "" for form in message.string or ("",))


def complete(message: Message) -> bool:
    """Tell whether every form is there and none is only a guess."""
    return all(forms(message)) and not message.fuzzy


def bring_back(catalog: Catalog) -> None:
    """Offer words dropped earlier once more: one that is in use again keeps its translation."""
    for message in list(catalog.obsolete.values()):
        if catalog.get(message.id, message.context) is None:
            catalog[message.id] = message
    catalog.obsolete.clear()


def fill_from_source(catalog: Catalog) -> None:
    """Let the words stand for their own translation where there is none."""
    for message in entries(catalog):
        if not complete(message):
            message.string = message.id


def folder(language: str) -> Path:
    """Return where the catalogue of a language lies."""
    return TRANSLATIONS / language / "LC_MESSAGES"


def read(language: str) -> Catalog:
    """Return the catalogue of a language, an empty one when it has no file yet."""
    path = folder(language) / "messages.po"
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False, **HEADER)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def write(language: str, catalog: Catalog) -> None:
    """Write the catalogue and its compiled form."""
    folder(language).mkdir(parents=True, exist_ok=True)
    text = io.BytesIO()
    write_po(text, catalog, width=100, no_location=True, sort_output=True)
    (folder(language) / "messages.po").write_bytes(text.getvalue())
    with (folder(language) / "messages.mo").open("wb") as file:
        write_mo(file, read(language))


if __name__ == "__main__":
    main()
