"""The very words of consent that were ever shown, by version and language, so that they can be shown again.

A published version never changes: other words are another version, added above the old ones, and `CURRENT` names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WRITER, GUARDIAN, PAPER = "writer", "guardian", "paper"
"""Who says it: the writer, a parent or guardian for a writer under 16, or staff of what stands in the paper book."""
CURRENT = "1"


@dataclass(frozen=True)
class Consent:
    """One text of consent: what the tick says for each who says it, and what is told beside; {store} is a place."""

    said: Mapping[str, str]
    told: tuple[str, ...]

    def terms(self, store: str) -> list[str]:
        """Return what is told beside the tick, for a store."""
        return [line.replace("{store}", store) for line in self.told]


TEXTS: Mapping[str, Mapping[str, Consent]] = {
    "1": {
        "ru": Consent(
            {
                WRITER: "Я согласен (согласна), чтобы магазин хранил имя и контакт, которые я здесь указываю.",
                GUARDIAN: "Я родитель или опекун пишущего и согласен (согласна), чтобы магазин хранил имя и контакт, "
                "указанные здесь.",
                PAPER: "Автор сам оставил имя и контакт в бумажной книге и согласился, чтобы магазин хранил их для "
                "ответа.",
            },
            (
                "Кто хранит: компания, которой принадлежит магазин «{store}».",
                "Зачем: чтобы ответить на эту запись, и только.",
                "Что хранится: имя и контакт, которые вы написали выше.",
                "До какого срока: пока закон требует хранить запись или пока вы не отзовёте согласие в магазине или "
                "письмом.",
                "Больше никому их не передают.",
            ),
        ),
        "be": Consent(
            {
                WRITER: "Я згодны (згодная), каб крама захоўвала імя і кантакт, якія я тут указваю.",
                GUARDIAN: "Я адзін з бацькоў або апякун таго, хто піша, і згодны (згодная), каб крама захоўвала імя і "
                "кантакт, указаныя тут.",
                PAPER: "Аўтар сам пакінуў імя і кантакт у папяровай кнізе і пагадзіўся, каб крама захоўвала іх для "
                "адказу.",
            },
            (
                "Хто захоўвае: кампанія, якой належыць крама «{store}».",
                "Навошта: каб адказаць на гэты запіс, і толькі.",
                "Што захоўваецца: імя і кантакт, якія вы напісалі вышэй.",
                "Да якога тэрміну: пакуль закон патрабуе захоўваць запіс або пакуль вы не адклічаце згоду ў краме ці "
                "пісьмова.",
                "Больш нікому іх не перадаюць.",
            ),
        ),
        "en": Consent(
            {
                WRITER: "I agree that the store keeps the name and contact I have written here.",
                GUARDIAN: "I am the writer's parent or guardian and agree that the store keeps the name and contact "
                "written here.",
                PAPER: "The writer left the name and contact in the paper book and agreed that the store keeps them to "
                "answer.",
            },
            (
                "Who keeps them: the company that runs the store “{store}”.",
                "What for: to answer this entry, and for nothing else.",
                "What is kept: the name and the contact that you write above.",
                "Until when: as long as the entry must be kept by law, or until you withdraw your consent in the store "
                "or in writing.",
                "They are given to nobody else.",
            ),
        ),
    },
}


def shown(version: str | None, language: str | None) -> Consent:
    """Return the words of a version in a language; KeyError for what was never shown."""
    return TEXTS[version or CURRENT][language or "ru"]


def read(text: str | None, language: str) -> tuple[str, str]:
    """Return version and language of the words that a page says it showed, as `1 ru`; of the current ones otherwise.

    A page may wait on a phone for days: what was agreed to is what it showed.
    """
    version, _, of_page = (text or "").partition(" ")
    return (version, of_page) if of_page in TEXTS.get(version, {}) else (CURRENT, language)
