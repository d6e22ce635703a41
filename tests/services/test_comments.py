"""Comments behind a figure: whose, where, in which order, and which words are marked."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Forbidden, Invalid, NotFound
from feedback_app.services import intake
from feedback_app.services.comments import Comment, behind, cursor_of, read_cursor, segments
from feedback_app.services.periods import Filters, Period
from tests.builders import Chain
from tests.services.moments import at

QUEUE = "Очередь ужасная, стояли полчаса."


def everything(chain: Chain, limit: int = 3, **where: str) -> list[Comment]:
    """Walk all pages."""
    found: list[Comment] = []
    cursor = None
    while True:
        page = behind(chain.db, SYSTEM, Filters(), cursor=cursor, limit=limit, **where)
        assert len(page.comments) <= limit
        found += page.comments
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_every_comment_comes_once_and_the_newest_first(any_chain: Chain) -> None:
    said = [f"Комментарий номер {n}" for n in range(10)]
    for n, text in enumerate(said):
        any_chain.a_tap(3, at=at(1, 9 + n // 3), comment=text)  # three share each moment
    any_chain.a_tap(4, at=at(1, 20))
    found = everything(any_chain)
    assert sorted(comment.text for comment in found) == sorted(said)
    moments = [comment.occurred_at for comment in found]
    assert moments == sorted(moments, reverse=True)


def test_a_stage_shows_the_words_located_on_it_wherever_they_were_left(any_chain: Chain) -> None:
    for n in range(7):
        any_chain.a_tap(1, touchpoint="exit", at=at(1, 9 + n % 2), comment=f"{QUEUE} Кассир нагрубил. {n}")
    any_chain.a_tap(4, touchpoint="checkout", at=at(1, 12), comment="Свежий хлеб, очень вкусный!")
    found = everything(any_chain, stage="deal")
    assert len(found) == 7
    assert {comment.touchpoint.key for comment in found if comment.touchpoint} == {"exit"}
    assert all("queue" in comment.aspects for comment in found)


def test_a_touchpoint_shows_what_was_left_at_it(chain: Chain) -> None:
    chain.a_tap(1, touchpoint="exit", comment=QUEUE)
    chain.a_tap(1, touchpoint="checkout", comment=QUEUE)
    assert [c.touchpoint.key for c in everything(chain, touchpoint="exit") if c.touchpoint] == ["exit"]


def test_a_voided_comment_never_appears(chain: Chain) -> None:
    gone, left = (chain.a_tap(1, comment=QUEUE) for _ in range(2))
    intake.void(chain.db, SYSTEM, gone, "test")
    assert [comment.id for comment in everything(chain)] == [left]
    assert [comment.id for comment in everything(chain, stage="deal")] == [left]


def test_a_comment_tells_where_when_and_how_it_sounded(chain: Chain) -> None:
    chain.a_tap(1, touchpoint="checkout", at=at(1, 23, 30), comment=QUEUE)
    comment = everything(chain)[0]
    assert (comment.store.code, comment.channel, comment.language) == ("001", "button", "ru")
    assert comment.label == "negative"
    assert (comment.local.hour, comment.local.minute) == (23, 30)
    assert comment.score == 0
    assert "negative" in {segment.mark for segment in comment.segments}
    assert "".join(segment.text for segment in comment.segments) == QUEUE


def test_a_manager_reads_own_stores_alone_and_a_mystery_shopper_none(chain: Chain) -> None:
    for store in ("001", "002", "003"):
        chain.a_tap(1, store=store, comment=QUEUE)
    read = behind(chain.db, chain.access("manager"), Filters()).comments
    assert 0 < len({comment.store.code for comment in read}) < 3
    with pytest.raises(Forbidden):
        behind(chain.db, chain.access("mystery_shopper"), Filters())


def test_a_period_and_a_channel_narrow_what_is_read(chain: Chain) -> None:
    chain.a_tap(1, at=at(1, 23, 59), comment="вчера")
    chain.a_tap(1, at=at(2, 0, 0), comment="сегодня")
    chain.a_survey(overall=1, comment="опрос")
    day = Filters(period=Period(at(2, 12).date(), at(2, 12).date()))
    assert [comment.text for comment in behind(chain.db, SYSTEM, day).comments] == ["сегодня"]
    by_phone = Filters(channels=frozenset({"qr"}))
    assert [comment.text for comment in behind(chain.db, SYSTEM, by_phone).comments] == ["опрос"]


@pytest.mark.parametrize("cursor", ["x", "%%%", "bm90IGEgY3Vyc29y", "MjAyNi0xMS0wMX5u"])
def test_a_cursor_we_did_not_write_is_refused(chain: Chain, cursor: str) -> None:
    with pytest.raises(Invalid):
        behind(chain.db, SYSTEM, Filters(), cursor=cursor)


def test_an_unknown_stage_is_not_found(chain: Chain) -> None:
    with pytest.raises(NotFound):
        behind(chain.db, SYSTEM, Filters(), stage="checkout")


def test_a_cursor_returns_to_its_place() -> None:
    place = read_cursor(cursor_of(at(0, 12), UUID(int=7)))
    assert place is not None
    assert (place.occurred_at, place.response_id) == (at(0, 12), UUID(int=7))


def test_terms_are_marked_in_their_order_each_where_it_stands() -> None:
    cut = segments("плохо, но не плохо", [["плохо", -0.5], ["не плохо", 0.4]], [])
    assert [(part.text, part.mark) for part in cut] == [
        ("плохо", "negative"),
        (", но ", None),
        ("не плохо", "positive"),
    ]


def test_without_terms_the_clauses_of_mentions_are_marked() -> None:
    cut = segments("Очередь. Хлеб.", [], [(0, 8, -0.5), (9, 14, 0.5), (0, 8, -0.5), (3, 4, None)])
    assert [part.mark for part in cut] == ["negative", None, "positive"]


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.text(max_size=5), st.floats(-1, 1)), max_size=5),
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.floats(-1, 1) | st.none()), max_size=5),
)
def test_marks_never_change_the_text(
    text: str, terms: list[tuple[str, float]], mentions: list[tuple[int, int, float | None]]
) -> None:
    assert "".join(part.text for part in segments(text, terms, mentions)) == text
