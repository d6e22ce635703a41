"""The benchmark of the intake runs, in its short form: its figures are there, and what was sent is in the database."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import intake, load, served


@pytest.mark.slow
def test_the_short_form_measures_and_verifies() -> None:
    figures = intake.measure(replace(intake.SHORT, seconds=0.3, raw_batches=3))
    assert {"single taps, of the bare JSON POST", "batches of 100 on SQLite, of raw executemany"} <= set(figures)
    assert all(figure > 0 for figure in figures.values())


@pytest.mark.slow
def test_the_memory_of_the_serving_process_is_read_after_the_taps(tmp_path: Path) -> None:
    figures = intake.memory(tmp_path, replace(intake.SHORT, memory=2_000))
    before, after = figures.values()
    assert 20 < before < after < 500


def test_a_run_that_lost_a_response_is_an_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/otklik.db"
    served.lay(url)
    served.verified(url, 0)
    with pytest.raises(AssertionError, match="5 were stored, 0 are there"):
        served.verified(url, 5)


def test_each_client_sends_other_responses_with_ids_of_their_time() -> None:
    place = load.Place("token", "point", 1, "smiley", 4)
    sent = [b"".join(load.requests(load.Load(1, [place], 1, 1), place, number, 3)) for number in range(2)]
    ids = {part[:36] for one in sent for part in one.split(b'"id":"')[1:]}
    assert len(ids) == 6
    assert {chr(one[14]) for one in ids} == {"7"}


def test_the_memory_that_is_read_is_that_of_a_process() -> None:
    assert served.resident(os.getpid()) > 5
