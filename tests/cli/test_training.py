"""`otklik train` at the terminal: what it shows, what it says in the end, and how it ends."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from analysis import sentiment
from feedback_app.cli import main
from feedback_app.domain.access import SYSTEM
from feedback_app.services.clock import now
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Response, SentimentModel
from tests.builders import Chain, open_chain
from tests.services.lessons import mixed, ordinary, slang, teach

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; a traceback is never an answer."""
    for name in list(os.environ):
        if name.startswith("OTKLIK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OTKLIK_INSTANCE", str(tmp_path / "instance"))

    def command(*arguments: object) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


@pytest.fixture
def laid(run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    """The commands' database holds the chain of the tests."""
    monkeypatch.setenv("OTKLIK_DATABASE_URL", sqlite_url)
    db = Database(sqlite_url)
    yield open_chain(db)
    db.close()


def model_names(chain: Chain) -> set[str]:
    with chain.db.read(SYSTEM) as session:
        return {str(name) for name in session.scalars(sa.select(Response.sentiment_model))}


def test_a_better_model_is_shown_beside_the_old_and_taken_and_scored_with(run: Run, laid: Chain) -> None:
    teach(laid, mixed(ordinary(200), slang(150)))
    result = run("train", "--dry-run")
    assert result.exit_code == 0
    assert "Nothing was kept: this was a dry run." in result.output
    assert "otklik rescore" not in result.output
    result = run("train")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("Learned from 350 comments (")
    assert lines[1].startswith("Compared on 280 comments, each read by weights fitted on earlier ones alone")
    heads = next(line for line in lines if line.startswith("language"))
    assert heads.split()[:5] == ["language", "n", "model", "right,", "%"]
    table = [line.split() for line in lines[lines.index(heads) + 1 : lines.index("", lines.index(heads))]]
    assert table[0][:3] == ["all", "280", "shipped"]
    assert "Russian" in [row[0] for row in table]
    assert {row[0] for row in table[1::2]} == {"new"}
    assert float(table[1][1]) > float(table[0][3])
    assert "The new model is better, by " in lines[-2]
    assert lines[-2].endswith("it is in use as version 1.")
    assert lines[-1] == "Score what is there already with it: otklik rescore"
    assert model_names(laid) <= set(sentiment.MODEL_VERSIONS.values())
    assert "350 texts scored, 350 changed." in run("rescore").output
    assert {name.partition("/")[2] for name in model_names(laid)} == {"1"}
    assert all(name.startswith("chain-") for name in model_names(laid))
    assert run("rollup", "verify").exit_code == 0


def test_texts_are_scored_anew_at_once_where_that_is_wanted(run: Run, laid: Chain) -> None:
    teach(laid, mixed(ordinary(200), slang(150)))
    result = run("train", "--rescore")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "350 texts scored, 350 changed.")
    assert {name.partition("/")[2] for name in model_names(laid)} == {"1"}
    assert all(name.startswith("chain-") for name in model_names(laid))


def test_the_old_model_stays_where_nothing_is_learned(run: Run, laid: Chain) -> None:
    rng = random.Random(11)
    teach(laid, [(text, rng.choice(["neg", "pos"])) for text, _ in ordinary(300)])
    result = run("train", "--rescore")
    assert result.exit_code == 0
    assert "The shipped model stays: " in result.output.splitlines()[-1]
    assert "texts scored" not in result.output


def test_too_few_comments_end_the_command_with_numbers(run: Run, laid: Chain) -> None:
    teach(laid, [("плохо", "neg")] * 3 + [("хорошо", "pos")])
    result = run("train")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "Too few to learn from: 4 comments with a smiley, a rating or a correction "
        "(3 negative, 0 neutral, 1 positive). At least 200 are needed, in 2 labels of at least 30 each."
    )


def test_a_model_of_older_weights_is_named_by_the_doctor_and_by_train(run: Run, laid: Chain) -> None:
    finding = "The chain's own sentiment model, version 3, was fitted on older weights and is not used."
    assert finding not in run("doctor").output
    values = {
        "version": 3,
        "created_at": now(),
        "basis": "old/1",
        "figures": {},
        "weights": b"",
        "in_use": True,
    }
    laid.db.write(lambda link: link.execute(sa.insert(SentimentModel.__table__).values(**values)))
    assert f"advice: {finding} Mend: otklik train" in run("doctor").output
    assert "was fitted on older weights and is not used" in run("train").output
