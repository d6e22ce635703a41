"""The team reads what people write of that no aspect covers, in its own stores alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden, NotFound
from feedback_app.services import corrections, counting, own_aspects, topics
from feedback_app.services.clock import now
from feedback_app.services.periods import Filters
from tests.builders import Chain
from tests.web.scene import text_of, title_of

SignIn = Callable[[str], FlaskClient]
WISHES = [
    "Постройте детскую площадку",
    "Где же детская площадка",
    "Мечтаем о детской площадке <b>",
    "Аквариум посетили",
]
FOUNTAIN = ("Постройте фонтан", "Где же фонтан", "Мечтаем о фонтане")
LIST = "aspect\tlanguage\tpattern\tstrength\n"


@pytest.fixture
def wished(app_chain: Chain) -> Chain:
    """Four people of store 001 write of what no aspect covers, one of what an aspect does; and three in store 002."""
    for text in WISHES:
        app_chain.a_survey(overall=3, comment=text)
    app_chain.a_survey(overall=3, comment="Очередь на кассе")
    for text in FOUNTAIN:
        app_chain.a_survey(store="002", overall=3, comment=text)
    return app_chain


def read(client: FlaskClient, language: str = "en", path: str = "/map/topics") -> str:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def words(chain: Chain, role: str, filters: Filters | None = None) -> list[tuple[str, int]]:
    found = topics.found(chain.db, chain.access(role), filters or Filters())
    return [(one.topic.words, one.topic.n) for one in found.heard]


def test_the_title_says_what_people_write_of_and_how_many(wished: Chain, sign_in: SignIn) -> None:
    manager, director = sign_in("manager"), sign_in("director")
    assert title_of(read(manager)) == "New topic “детская площадка”: in 3 of 4 comments outside the known aspects"
    assert title_of(read(manager, "ru")) == "Новая тема «детская площадка»: в 3 из 4 комментариев вне известных тем"
    assert title_of(read(manager, "be")) == "Новая тэма «детская площадка»: у 3 з 4 каментарыяў без вядомых тэм"
    page = text_of(read(director))
    assert "3 of 7 · 43 % (16–75)" in page
    assert "aspects.tsv" in page


def test_the_example_is_what_somebody_wrote_with_the_way_to_correct_it(wished: Chain, sign_in: SignIn) -> None:
    page = read(sign_in("manager"))
    assert "Мечтаем о детской площадке &lt;b&gt;" in page
    assert "/correct?next=/map/topics" in page
    assert "Очередь" not in text_of(page)


def test_a_manager_reads_of_own_stores_alone(wished: Chain, sign_in: SignIn) -> None:
    assert "фонтан" in read(sign_in("director"))
    assert "фонтан" not in read(sign_in("manager"))
    assert words(wished, "manager") == [("детская площадка", 3)]
    with pytest.raises(NotFound):
        words(wished, "manager", Filters(stores=frozenset({"002"})))
    assert words(wished, "director", Filters(stores=frozenset({"002"})))[0][1] == 3


def test_who_may_read_no_words_reads_no_topics(wished: Chain, sign_in: SignIn) -> None:
    assert sign_in("coordinator").get("/map/topics").status_code == 403
    with pytest.raises(Forbidden):
        words(wished, "mystery_shopper")


def test_one_store_s_topics_are_never_kept_for_another(app_chain: Chain) -> None:
    for wish, other in zip(WISHES[:3], FOUNTAIN, strict=True):
        app_chain.a_survey(store="001", overall=3, comment=wish)
        app_chain.a_survey(store="002", overall=3, comment=other)
    one, two = (
        topics.found(app_chain.db, replace(SYSTEM, stores=frozenset({app_chain.store_id(code)})), Filters())
        for code in ("001", "002")
    )
    assert [found.heard[0].topic.words for found in (one, two)] == ["детская площадка", "фонтан"]


def test_a_comment_that_also_names_an_aspect_is_not_among_them(wished: Chain) -> None:
    manager = wished.access("manager")
    example = topics.found(wished.db, manager, Filters()).heard[0].example
    corrections.correct(wished.db, manager, example.id, None, [["price", "negative"], ["other", "neutral"]], now())
    found = topics.found(wished.db, manager, Filters())
    assert (found.read, found.heard) == (3, ())


def test_a_listed_word_leaves_the_page(wished: Chain, tmp_path: Path) -> None:
    own_aspects.use(wished.db, tmp_path)
    assert words(wished, "manager") != []
    (tmp_path / "aspects.tsv").write_text(f"{LIST}store_environment\tru\tдетск~ площадк~\n", encoding="utf-8")
    own_aspects.use(wished.db, tmp_path)
    assert words(wished, "manager") == []
    assert topics.found(wished.db, SYSTEM, Filters(stores=frozenset({"001"}))).read == 4
    counting.rescore(wished.db)
    assert topics.found(wished.db, SYSTEM, Filters(stores=frozenset({"001"}))).read == 1


def test_a_word_listed_as_nothing_leaves_the_page_too(wished: Chain, tmp_path: Path) -> None:
    assert words(wished, "manager") != []
    (tmp_path / "aspects.tsv").write_text(f"{LIST}other\tru\tплощадк~\nother\tru\tдетск~\n", encoding="utf-8")
    own_aspects.use(wished.db, tmp_path)
    counting.rescore(wished.db)
    assert words(wished, "manager") == []


def test_the_page_says_when_it_left_older_comments_unread(
    wished: Chain, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Only the newest" not in text_of(read(sign_in("manager")))
    monkeypatch.setattr(topics, "READ_AT_MOST", 3)
    wished.a_tap(4)
    found = topics.found(wished.db, wished.access("manager"), Filters())
    assert (found.read, found.more) == (3, True)
    assert "Only the newest 2,000 such comments were read." in text_of(read(sign_in("manager")))


def test_an_empty_page_says_what_will_stand_there(app_chain: Chain, sign_in: SignIn) -> None:
    page = read(sign_in("manager"))
    assert title_of(page) == "No comment lies outside the known aspects"
    assert "comes again in 3 comments" in text_of(page)
    app_chain.a_survey(overall=3, comment=WISHES[-1])
    title = title_of(read(sign_in("manager")))
    assert title == "Nothing comes again in 1 comment outside the known aspects"


@pytest.mark.parametrize("path", ["/map", "/map/stage/experience"])
def test_the_map_and_the_comments_lead_there(wished: Chain, sign_in: SignIn, path: str) -> None:
    assert 'href="/map/topics?days=7"' in read(sign_in("manager"), path=f"{path}?days=7")
