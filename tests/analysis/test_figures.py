"""How well comments are read: the frozen comments of ours, and the labelled sets where their folder is named."""

import os
from pathlib import Path

import pytest

from analysis.sentiment import warm_up
from benchmarks import sentiment

DATA = os.environ.get("OTKLIK_TEST_DATA")
SOME = 600
"""Rows of a set that are read here; `python -m benchmarks.sentiment` reads more."""


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


def test_the_frozen_comments_are_located_and_weighed_as_well_as_before():
    found = sentiment.score_own()
    assert found["own 300, stage, F1"] > 0.80
    assert found["own 300, stage and sign, F1"] > 0.65
    assert found["own 300, sign right where the stage is found"] > 0.77


@pytest.mark.skipif(not DATA, reason="OTKLIK_TEST_DATA names no folder of labelled texts")
@pytest.mark.parametrize(
    ("name", "figure", "least"),
    [
        ("ru_sentirueval_rest_train", "bin_f1", 0.77),
        ("ru_appfeedback_train", "bin_f1", 0.82),
        ("ru_wildberries_dev", "bin_f1", 0.73),
        ("ru_sentirueval_car_train", "bin_f1", 0.72),
        ("be_apertium_mt_train", "bin_f1", 0.68),
        ("en_semeval14_rest_train", "bin_acc", 0.82),
    ],
)
def test_texts_of_others_are_read_as_well_as_before(name, figure, least):
    folder = Path(DATA or "")
    rules = sentiment.rules_of(folder)
    rows = rules.read(str(folder / f"{name}.csv.gz"))
    some = rows[:: max(1, len(rows) // SOME)]
    assert rules.score_set(sentiment.ours, some)[figure] > least
