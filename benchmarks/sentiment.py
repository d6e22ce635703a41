"""How well comments are read, side by side: `python -m benchmarks.sentiment [FOLDER]`.

FOLDER (default: OTKLIK_TEST_DATA) holds labelled sets, gzip CSV with the columns text, label and for some aspect, and
`score_sentiment.py`, by whose rules is scored. TextBlob's own analyzer, VADER, a plain list of words (AFINN in three
languages) and ours read the same texts. Nothing is fitted here.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from analysis.intervals import wilson
from analysis.journey import locate
from analysis.sentiment import label_of, score_comments, warm_up
from analysis.sentiment.blend import shipped
from analysis.sentiment.logistic import probabilities
from analysis.sentiment.scoring import features

Scorer = Callable[[list[str]], list[float]]
OWN = Path(__file__).parent / "data" / "retail_300.tsv"
SURE = 0.8
MOST_ROWS = 4_000
"""Rows of a set that are read: evenly spread ones, so that a run takes minutes."""
RESTAURANT_ASPECTS = {
    "Food": {"product_quality", "freshness", "assortment"},
    "Service": {"service", "staff", "queue", "checkout"},
    "Interior": {"store_environment", "cleanliness"},
    "Price": {"price", "promotion"},
    "Whole": {"other"},
}
"""What the aspects of SentiRuEval's restaurant sentences are called here."""
_WORD = re.compile(r"[^\W\d_]+")


def ours(texts: list[str]) -> list[float]:
    """Return our polarities; 0 for what is not scored."""
    return [one.polarity or 0.0 for one in score_comments(texts)]


def by_textblob(texts: list[str]) -> list[float]:
    """Return the polarities of TextBlob's own analyzer."""
    return [TextBlob(text).sentiment.polarity for text in texts]


def by_vader(texts: list[str]) -> list[float]:
    """Return VADER's compound scores."""
    vader = SentimentIntensityAnalyzer()
    return [vader.polarity_scores(text)["compound"] for text in texts]


def by_list(folder: Path) -> Scorer:
    """Return a scorer that takes the mean of the weights of the words that AFINN lists in any of our languages."""
    weights: dict[str, float] = {}
    for path in sorted(folder.glob("lexicon_afinn_multilang_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                with_number = re.fullmatch(r"-?\d+(\.\d+)?", row[-1].strip())
                if with_number:
                    weights.setdefault(row[0].strip().lower(), float(row[-1]) / 5)

    def score(texts: list[str]) -> list[float]:
        found = [[weights[word] for word in _WORD.findall(text.lower()) if word in weights] for text in texts]
        return [max(-1.0, min(1.0, sum(own) / len(own))) if own else 0.0 for own in found]

    return score


def rules_of(folder: Path) -> ModuleType:
    """Return the module that states the rules of scoring."""
    spec = importlib.util.spec_from_file_location("score_sentiment", folder / "score_sentiment.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder / "score_sentiment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spread(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return at most MOST_ROWS rows, evenly spread over a set."""
    step = max(1.0, len(rows) / MOST_ROWS)
    return [rows[int(at * step)] for at in range(min(len(rows), MOST_ROWS))]


def sure_and_right(rows: Sequence[tuple[str, str]]) -> str:
    """Return how many of the comments that our model is sure of, by a chance of 80 % or more, it reads rightly."""
    known = ("neg", "neu", "pos")
    chances = probabilities(features([text for text, _ in rows]), shipped())
    if not any(label == "neu" for _, label in rows):  # the set has two labels: the chance between the two
        chances[:, 1] = 0.0
        chances /= chances.sum(axis=1, keepdims=True)
    truth = np.array([known.index(label) for _, label in rows])
    sure = chances.max(axis=1) >= SURE
    right, n = int((chances.argmax(axis=1) == truth)[sure].sum()), int(sure.sum())
    if not n:
        return "sure of none"
    low, high = wilson(right, n)
    return f"sure of {n / len(rows):.0%}, of these right {right / n:.3f} ({low:.3f} to {high:.3f})"


def score_sets(folder: Path) -> None:
    """Print the figures of every set that lies in the folder."""
    rules = rules_of(folder)
    scorers: dict[str, Scorer] = {"TextBlob": by_textblob, "VADER": by_vader, "AFINN": by_list(folder), "ours": ours}
    print(f"{'set':<34}{'by':<10}{'rows':>6}{'F1':>8}{'right':>8}{'zeros':>8}{'F1 of 3':>9}{'per s':>9}")
    for path in sorted(folder.glob("*.csv.gz")):
        rows = spread(rules.read(str(path)))
        for name, scorer in scorers.items():
            found = rules.score_set(scorer, rows)
            of_three = f"{found['f1_3']:.3f}" if "f1_3" in found else ""
            print(
                f"{path.name.removesuffix('.csv.gz'):<34}{name:<10}{found['rows']:>6}{found['bin_f1']:>8.3f}"
                f"{found['bin_acc']:>8.3f}{found['zero']:>8.3f}{of_three:>9}{found['per_s']:>9.0f}",
                flush=True,
            )
        print(f"{'':<34}{sure_and_right(rows)}", flush=True)


# --- where on the journey --------------------------------------------------------------------------------------------


def f1(wanted: Iterable[set[object]], found: Iterable[set[object]]) -> tuple[float, float, float]:
    """Return precision, recall and their harmonic mean over all members of the sets."""
    pairs = list(zip(wanted, found, strict=True))
    hits = sum(len(a & b) for a, b in pairs)
    precision = hits / max(1, sum(len(b) for _, b in pairs))
    recall = hits / max(1, sum(len(a) for a, _ in pairs))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def sign(polarity: float | None) -> str:
    """Return + or - or 0 for a polarity."""
    return {"positive": "+", "negative": "-"}.get(label_of(polarity) or "", "0")


def score_own() -> dict[str, float]:
    """Print and return how many mentions of the 300 frozen comments are found, on their stage, with their sign."""
    rows = [line.split("\t") for line in OWN.read_text("utf-8").splitlines()]
    wanted = [[tuple(mention.split(":")) for mention in told.split(";")] for _, _, told in rows]
    found = [
        [(one.aspect, one.stage, sign(one.polarity)) for one in own]
        for own in locate([text for _, text, _ in rows], touchpoint="exit")
    ]
    figures = {}
    for name, key in (("aspect", slice(0, 1)), ("stage", slice(1, 2)), ("stage and sign", slice(1, 3))):
        precision, recall, mean = f1(
            [{one[key] for one in own} for own in wanted], [{one[key] for one in own} for own in found]
        )
        figures[f"own 300, {name}, F1"] = mean
        print(f"own 300, {name}: precision {precision:.3f}, recall {recall:.3f}, F1 {mean:.3f}")
    met = [
        (stage, said, {s for _, other, s in have if other == stage})
        for own, have in zip(wanted, found, strict=True)
        for _, stage, said in own
    ]
    there = [said in signs for _, said, signs in met if signs]
    figures["own 300, sign right where the stage is found"] = sum(there) / len(there)
    print(f"own 300, sign right where the stage is found: {sum(there) / len(there):.3f} of {len(there)}")
    return figures


def score_restaurants(folder: Path) -> None:
    """Print how well the aspects of restaurant sentences are found."""
    path = folder / "ru_sentirueval_rest_train.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [{one.aspect for one in own} for own in locate([row["text"] for row in rows])]
    scores = {}
    for name, covered in RESTAURANT_ASPECTS.items():
        wanted = [{name} if name in row["aspect"].split("|") else set() for row in rows]
        named = [{name} if own & covered else set() for own in found]
        scores[name] = f1(wanted, named)[2]
    told = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
    four = [score for name, score in scores.items() if name != "Whole"]
    print(
        f"restaurant aspects, F1: {told}; macro {np.mean(list(scores.values())):.3f}, without Whole {np.mean(four):.3f}"
    )


def speed(texts: list[str]) -> None:
    """Print how long our scorer takes for comments in batches and one by one."""
    score_comments(texts)
    began = time.perf_counter()
    score_comments(texts)
    batch = (time.perf_counter() - began) / len(texts)
    singles = []
    for text in texts[:1000]:
        began = time.perf_counter()
        score_comments([text])
        singles.append(time.perf_counter() - began)
    began = time.perf_counter()
    locate(texts)
    located = (time.perf_counter() - began) / len(texts)
    print(
        f"speed: {1 / batch:.0f} comments a second in batches, a single one {1000 * float(np.median(singles)):.2f} ms "
        f"(median of {len(singles)}), locating {1 / located:.0f} a second"
    )


def main(arguments: Sequence[str]) -> int:
    """Print all figures; 1 where the sets are not there."""
    given = arguments[0] if arguments else os.environ.get("OTKLIK_TEST_DATA", "")
    warm_up()
    score_own()
    speed([line.split("\t")[1] for line in OWN.read_text("utf-8").splitlines()] * 4)
    if not given or not (Path(given) / "score_sentiment.py").exists():
        print("The labelled sets are not there: name their folder, or set OTKLIK_TEST_DATA.", file=sys.stderr)
        return 1
    folder = Path(given)
    score_restaurants(folder)
    score_sets(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
