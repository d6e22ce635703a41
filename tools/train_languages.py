"""Fit the language detector of `analysis.sentiment`: `python -m tools.train_languages`.

Texts are what was written for Otklik: comments in our languages (tools/comments) and in others (tools/languages.tsv).
Russian and Belarusian in Latin letters are made of the Cyrillic ones, in the ways people write them. Each comment
counts as a whole and as excerpts of one to four words, so that three words are enough.
"""
# ruff: noqa: T201 -- a command line tool that speaks to its user

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize

from analysis.sentiment.language import CLASSES, MODEL, SLOTS, pieces, words_of
from analysis.sentiment.lexicon import read_words
from analysis.sentiment.patterns import sections

HERE = Path(__file__).parent
PENALTY = 0.02
EXCERPTS = 2
LONGEST_EXCERPT = 4
SEED = 7
_CYRILLIC_LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_RUSSIAN_WAYS = (
    "a b v g d e yo zh z i y k l m n o p r s t u f h ts ch sh sch _ y ' e yu ya",
    "a b v g d e e zh z i j k l m n o p r s t u f h c ch sh shch _ y _ e ju ja",
    "a b v g d e e j z i i k l m n o p r s t u f kh ts ch sh sh _ y _ e yu ya",
    "a b v g d e io zh z i y k l m n o p r s t u f x c 4 w w _ y ' e u ya",
)
_BELARUSIAN_LETTERS = "абвгдеёжзійклмнопрстуўфхцчшыьэюя'"
_BELARUSIAN_WAYS = (
    "a b v h d ie io ž z i j k l m n o p r s t u ŭ f ch c č š y _ e iu ia _",
    "a b v g d e yo zh z i y k l m n o p r s t u u f h ts ch sh y _ e yu ya _",
    "a b v h d je jo z z i j k l m n o p r s t u u f ch c c s y _ e ju ja _",
)
"""How the letters are written, one after the other; _ is left out."""


def latin(text: str, letters: str, way: str) -> str:
    """Return a text in Latin letters."""
    table = {letter: put.replace("_", "") for letter, put in zip(letters, way.split(), strict=True)}
    return "".join(table.get(letter, letter) for letter in text.lower())


def comments() -> Iterator[tuple[str, str]]:
    """Yield (class, text) of everything there is."""
    dice = random.Random(SEED)
    for path in sorted((HERE / "comments").glob("*.tsv")):
        language = path.stem.partition("_")[0]
        for line in path.read_text("utf-8").splitlines():
            text = line.split("\t")[1]
            in_latin = sum(letter.isascii() and letter.isalpha() for letter in text) * 2 > len(text)
            if language not in CLASSES or in_latin != (language == "en"):
                continue
            yield language, text
            if language == "ru" and dice.random() < 0.4:
                yield "ru_latin", latin(text, _CYRILLIC_LETTERS, dice.choice(_RUSSIAN_WAYS))
            if language == "be":
                yield "be_latin", latin(text, _BELARUSIAN_LETTERS, dice.choice(_BELARUSIAN_WAYS))
    for line in (HERE / "languages.tsv").read_text("utf-8").splitlines():
        yield "other", line.split("\t")[1]
    for head, words in sections(read_words("frequent")):
        name = head if head in CLASSES else "other"
        yield from ((name, word) for word in words)


def excerpts() -> Iterator[tuple[str, list[str]]]:
    """Yield (class, words): each comment whole, and pieces of it; those of rare classes oftener."""
    dice = random.Random(SEED)
    for name, text in comments():
        words = words_of(text)
        if not words:
            continue
        yield name, words
        for _ in range(EXCERPTS * (2 if name == "other" else 1)):
            size = dice.randint(1, LONGEST_EXCERPT)
            at = dice.randint(0, max(0, len(words) - size))
            yield name, words[at : at + size]


def main() -> None:
    """Fit on nine tenths and show what is right of the rest; then fit on all and keep that."""
    given = list(excerpts())
    order = np.random.default_rng(SEED).permutation(len(given))
    names = np.array([CLASSES.index(name) for name, _ in given])
    rows = _rows([words for _, words in given])
    held = order[: len(given) // 10]
    rest = order[len(given) // 10 :]
    table = _fit(rows[rest], names[rest])
    guess = (rows[held] @ table[:-1] + table[-1]).argmax(axis=1)
    for size in (1, 2, 3, 4):
        some = np.array([len(given[at][1]) == size for at in held])
        print(f"{size} words: {(guess == names[held])[some].mean():.3f} right of {some.sum()}")
    table = _fit(rows, names)
    scale = np.abs(table[:-1]).max() / 127
    np.savez_compressed(
        MODEL,
        steps=np.rint(table[:-1] / scale).astype(np.int8),
        scale=np.float32(scale),
        constant=table[-1].astype(np.float32),
    )
    print(f"{len(given)} texts and excerpts, {MODEL.stat().st_size} bytes")


def _rows(texts: list[list[str]]) -> sp.csr_matrix:
    slots = [[slot for word in words for slot in pieces(word)] for words in texts]
    ends = np.cumsum([0, *map(len, slots)])
    flat = np.fromiter((slot for own in slots for slot in own), dtype=np.int32, count=int(ends[-1]))
    return sp.csr_matrix((np.ones(len(flat), dtype=np.float32), flat, ends), shape=(len(texts), SLOTS))


def _fit(rows: sp.csr_matrix, names: np.ndarray) -> np.ndarray:
    wanted = np.eye(len(CLASSES))[names]
    weight = (1 / np.bincount(names, minlength=len(CLASSES)) ** 0.5)[names]
    weight /= weight.sum()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.reshape(SLOTS + 1, len(CLASSES))
        logits = rows @ table[:-1] + table[-1]
        logits -= logits.max(axis=1, keepdims=True)
        chance = np.exp(logits)
        chance /= chance.sum(axis=1, keepdims=True)
        gradient = np.zeros_like(table)
        gap = (chance - wanted) * weight[:, None]
        gradient[:-1] = rows.T @ gap + PENALTY / len(names) * table[:-1]
        gradient[-1] = gap.sum(axis=0)
        told = -(weight * np.log((chance * wanted).sum(axis=1) + 1e-12)).sum()
        return float(told + 0.5 * PENALTY / len(names) * (table[:-1] ** 2).sum()), gradient.ravel()

    start = np.zeros((SLOTS + 1) * len(CLASSES))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 120})
    found: np.ndarray = best.x.reshape(SLOTS + 1, len(CLASSES))
    return found


if __name__ == "__main__":
    main()
