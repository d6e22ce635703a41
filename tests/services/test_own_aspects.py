"""A chain says itself what its words speak of, and on which stage an aspect counts; a slip of the pen stops nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.journey import ASPECT_STAGES
from feedback_app.domain.responses import Accepted
from feedback_app.services import catalogue, corrections, counting, own_aspects, reviews
from feedback_app.services.clock import now
from feedback_app.services.demo_words import Memo
from feedback_app.services.own_aspects import LOOK_EVERY, Shelf, read_stages, read_words
from feedback_app.storage.tables import MentionRow
from tests.builders import Chain

HEAD = "aspect\tlanguage\tpattern\tstrength\n"
BRAND = f"{HEAD}other\tru\tколбас~\n"
SAUSAGE = "Колбаса плохая"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], None]:
    """Write a file of the instance folder."""
    return lambda name, text: (tmp_path / name).write_bytes(text.encode())


def spoken_of(chain: Chain, response_id: UUID) -> list[tuple[str, str]]:
    with chain.db.read(SYSTEM) as session:
        query = sa.select(MentionRow).where(MentionRow.response_id == response_id).order_by(MentionRow.position)
        return [(row.aspect, row.stage) for row in session.scalars(query)]


def test_a_word_that_is_a_brand_in_this_chain_is_no_quality_of_goods(
    any_chain: Chain, tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    before = any_chain.a_tap(1, comment=SAUSAGE)
    assert spoken_of(any_chain, before) == [("product_quality", "experience")]
    write("aspects.tsv", BRAND)
    own_aspects.use(any_chain.db, tmp_path)
    after = any_chain.a_tap(1, comment=SAUSAGE)
    assert spoken_of(any_chain, after) == [("other", "deal")]
    assert counting.rescore(any_chain.db) == 1
    assert spoken_of(any_chain, before) == [("other", "deal")]
    assert counting.verify(any_chain.db) == []


def test_an_aspect_counts_on_the_stage_the_chain_moved_it_to(
    any_chain: Chain, tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    before = any_chain.a_tap(1, comment=SAUSAGE)
    write("otklik.toml", '[aspect_stages]\nproduct_quality = "trigger"\n')
    own_aspects.use(any_chain.db, tmp_path)
    after = any_chain.a_survey(overall=1, comment=SAUSAGE)
    assert spoken_of(any_chain, after) == [("product_quality", "trigger")]
    assert counting.rescore(any_chain.db) == 1
    assert spoken_of(any_chain, before) == [("product_quality", "trigger")]
    assert counting.verify(any_chain.db) == []


def test_a_wrong_line_stops_no_scoring_and_is_named_once(
    chain: Chain, tmp_path: Path, write: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    write("aspects.tsv", f"{BRAND}qeue\tru\tочеред~\n")
    own_aspects.use(chain.db, tmp_path)
    with caplog.at_level(logging.WARNING, own_aspects.__name__):
        first, second = chain.a_tap(1, comment=SAUSAGE), chain.a_survey(overall=1, comment=SAUSAGE)
        (wrong,) = own_aspects.wrong(chain.db)
    assert spoken_of(chain, first) == spoken_of(chain, second) == [("product_quality", "experience")]
    assert (wrong.path, "line 3" in wrong.reason, "qeue" in wrong.reason) == (tmp_path / "aspects.tsv", True, True)
    (line,) = caplog.messages
    assert all(part in line for part in (str(wrong.path), "line 3", "qeue"))


def test_the_last_good_table_stays_while_a_line_is_wrong(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    clock = Clock()
    shelf = Shelf(tmp_path, clock)

    def later() -> list[str]:
        clock.now += LOOK_EVERY
        return sorted(shelf.mapped().words)

    assert later() == []
    write("aspects.tsv", BRAND)
    assert sorted(shelf.mapped().words) == []
    assert later() == ["ru"]
    write("aspects.tsv", f"{BRAND}price\n")
    assert later() == ["ru"]
    assert [one.path.name for one in shelf.wrong()] == ["aspects.tsv"]
    write("aspects.tsv", f"{BRAND}price\ten\ttag~\n")
    assert later() == ["en", "ru"]
    assert shelf.wrong() == []
    (tmp_path / "aspects.tsv").unlink()
    assert later() == []


def test_without_a_folder_the_product_s_own_mapping_counts(chain: Chain) -> None:
    assert own_aspects.of(chain.db).stages == ASPECT_STAGES
    assert own_aspects.wrong(chain.db) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("other\tru\tколбас~\n", "line 1: the heads"),
        (f"{HEAD}\n# words\nother\trus\tколбас~\n", "line 4: unknown language 'rus'"),
        (f"{HEAD}other ru колбас~\n", "line 2: aspect, language"),
        (f"{HEAD}other\tru\t~\n", "line 2: a pattern is missing"),
        (f"{HEAD}other\tru\tколбас~\tstrong\n", "line 2: unknown strength"),
    ],
)
def test_a_wrong_line_of_words_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_words(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('price = "deal"\n[aspect_stages]\n\nqeue = "deal"\n', "line 4: unknown aspect 'qeue'"),
        ('[aspect_stages]\nprice = "deal"\nqueue = "dael"\n', "line 3: unknown stage 'dael'"),
        ("[aspect_stages]\nqueue = 3\n", "line 2: unknown stage 3"),
        ('aspect_stages = "deal"\n', "no table"),
        ("[aspect_stages\n", "line 1"),
    ],
)
def test_a_wrong_stage_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_stages(text)


def test_files_as_office_programs_write_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "aspects.tsv").write_bytes(BRAND.replace("\n", "\r\n").encode("utf-8-sig"))
    assert sorted(Shelf(tmp_path).mapped().words) == ["ru"]
    (tmp_path / "aspects.tsv").write_bytes(BRAND.encode("cp1251"))
    (wrong,) = Shelf(tmp_path).wrong()
    assert wrong.reason == "line 2: this is not UTF-8; save the file as UTF-8"


def test_what_staff_corrected_keeps_its_aspects_and_takes_the_new_stages(
    any_chain: Chain, tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    response_id, manager = any_chain.a_tap(1, comment=SAUSAGE), any_chain.access("manager")
    corrections.correct(any_chain.db, manager, response_id, None, [["delivery", "negative"]], now())
    write("aspects.tsv", BRAND)
    write("otklik.toml", '[aspect_stages]\ndelivery = "deal"\n')
    own_aspects.use(any_chain.db, tmp_path)
    assert [one.stage for one in corrections.look(any_chain.db, manager, response_id).counts.mentions] == ["deal"]
    counting.rescore(any_chain.db)
    assert spoken_of(any_chain, response_id) == [("delivery", "deal")]
    corrections.undo(any_chain.db, manager, response_id)
    assert spoken_of(any_chain, response_id) == [("other", "deal")]
    assert counting.verify(any_chain.db) == []


def test_reviews_and_the_demo_follow_the_chain_s_words(
    chain: Chain, tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    write("aspects.tsv", BRAND)
    write("reviews.csv", f"text,store\n{SAUSAGE},001\n")
    own_aspects.use(chain.db, tmp_path)
    report = reviews.import_reviews(chain.db, SYSTEM, tmp_path / "reviews.csv")
    assert report.stored == 1
    with chain.db.read(SYSTEM) as session:
        assert [row.aspect for row in session.scalars(sa.select(MentionRow))] == ["other"]
    memo = Memo(own_aspects.of(chain.db))
    at = catalogue.point_page(chain.db, chain.token("001", "exit"), "survey").at
    item = Accepted(uuid4(), at, now(), now(), {}, "digest", "ru", comment=SAUSAGE)
    assert [mention.aspect for mention in memo([item])[1][item.id]] == ["other"]
