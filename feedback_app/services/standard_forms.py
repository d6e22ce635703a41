"""Forms that every chain has from its first day: the feedback book's entry and the imported review."""

from __future__ import annotations

from typing import Any


def _words(ru: str, be: str, en: str) -> dict[str, str]:
    return {"ru": ru, "be": be, "en": en}


BOOK: dict[str, Any] = {
    "key": "book",
    "purpose": "book",
    "title": _words("Книга замечаний и предложений", "Кніга заўваг і прапаноў", "Feedback book"),
    "sections": [
        {
            "key": "entry",
            "title": _words("Запись", "Запіс", "Entry"),
            "questions": [
                {
                    "key": "kind",
                    "type": "choice",
                    "required": True,
                    "text": _words("О чём запись", "Пра што запіс", "What the entry is about"),
                    "choices": [
                        {"key": "complaint", "text": _words("Жалоба", "Скарга", "Complaint")},
                        {"key": "suggestion", "text": _words("Предложение", "Прапанова", "Suggestion")},
                        {"key": "thanks", "text": _words("Благодарность", "Падзяка", "Thanks")},
                        {"key": "claim", "text": _words("Требование", "Патрабаванне", "Claim")},
                    ],
                },
                {"key": "text", "type": "text", "required": True, "text": _words("Текст", "Тэкст", "Text")},
            ],
        }
    ],
}

REVIEW: dict[str, Any] = {
    "key": "review",
    "purpose": "import",
    "title": _words("Отзыв из другой системы", "Водгук з іншай сістэмы", "Review from another system"),
    "sections": [
        {
            "key": "review",
            "title": _words("Отзыв", "Водгук", "Review"),
            "questions": [
                {"key": "rating", "type": "rating", "max": 5, "text": _words("Оценка", "Ацэнка", "Rating")},
                {"key": "text", "type": "text", "required": True, "text": _words("Текст", "Тэкст", "Text")},
            ],
        }
    ],
}

STANDARD = (BOOK, REVIEW)
