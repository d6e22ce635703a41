"""Fit the shipped weights of `analysis.sentiment`: `python -m tools.train_sentiment FOLDER`.

FOLDER holds the sets with a permissive licence that are no part of this repository (see docs/model-card.md). What was
written for Otklik lies in tools/comments.
"""
# ruff: noqa: T201 -- a command line tool that speaks to its user

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.sentiment.blend import CLASSES, WEIGHTS, polarities
from analysis.sentiment.logistic import fit
from analysis.sentiment.scoring import features

OWN = Path(__file__).with_name("comments")
PERMISSIVE = ("en_rt_polarity", "en_uci_amazon_dev", "en_uci_imdb")
PENALTY = 1.0
"""Chosen by cross-validation over what is trained on, never by a measuring set."""
FOLDS = 5
Row = tuple[str, str, str]


def own() -> Iterator[Row]:
    """Yield (text, label, language) of the comments written for Otklik."""
    for path in sorted(OWN.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            label, text, _ = line.split("\t")
            if label in CLASSES:
                yield text, label, path.stem.partition("_")[0]


def permissive(folder: Path) -> Iterator[Row]:
    """Yield (text, label, language) of the English sets."""
    for name in PERMISSIVE:
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["label"] in CLASSES:
                    yield row["text"], row["label"], "en"


def main(arguments: list[str]) -> None:
    """Fit, show what cross-validation says, and keep the weights."""
    mine = list(own())
    rows = mine + list(permissive(Path(arguments[0])))
    texts, labels, _ = zip(*rows, strict=True)
    wanted = np.eye(len(CLASSES))[[CLASSES.index(label) for label in labels]]
    given = features(texts)
    counts = np.ones(len(rows))
    for penalty in map(float, arguments[1:]):
        print(f"penalty {penalty}: {validated(given, wanted, counts, len(mine), penalty):.3f} of own comments right")
    weights = fit(given, wanted, counts, PENALTY)
    np.savez_compressed(WEIGHTS, weights=weights.astype(np.float32))
    right = (np.sign(polarities(given, weights)) == np.sign(wanted[:, 2] - wanted[:, 0])).mean()
    print(f"{len(rows)} rows, {right:.3f} of them right")


def validated(given: np.ndarray, wanted: np.ndarray, counts: np.ndarray, mine: int, penalty: float) -> float:
    """Return the share of our own comments whose class is right when they were not trained on."""
    fold = np.random.default_rng(1).integers(FOLDS, size=len(given))
    right = []
    for number in range(FOLDS):
        inside, outside = fold != number, (fold == number) & (np.arange(len(given)) < mine)
        weights = fit(given[inside], wanted[inside], counts[inside], penalty)
        guess = (given[outside] @ weights[:-1] + weights[-1]).argmax(axis=1)
        right.append(guess == wanted[outside].argmax(axis=1))
    return float(np.concatenate(right).mean())


if __name__ == "__main__":
    main(sys.argv[1:])
