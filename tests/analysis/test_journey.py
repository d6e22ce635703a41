"""Where on the journey a comment speaks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.aspects import aspect_words
from analysis.journey import locate
from analysis.sentiment import LANGUAGES, detect, score_comments, warm_up
from analysis.sentiment.patterns import parse
from feedback_app.domain.journey import ASPECT_STAGES, ASPECTS, B2C_STAGES


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


def mentions(text, hint=None, **where):
    return locate([text], [hint], **where)[0]


def aspects(text):
    return {mention.aspect for mention in mentions(text)}


@pytest.mark.parametrize(
    "text",
    ["касса опять одна на весь зал, зато колбаса свежая", "каса зноў адна на ўсю залу, затое каўбаса свежая"],
)
def test_a_lone_till_hurts_the_deal_and_fresh_sausage_pleases(text):
    found = mentions(text)
    deal = [mention for mention in found if mention.stage == "deal"]
    experience = [mention for mention in found if mention.stage == "experience"]
    assert len(deal) + len(experience) == len(found)
    assert {mention.aspect for mention in deal} <= {"queue", "checkout"}
    assert {mention.aspect for mention in experience} <= {"freshness", "product_quality"}
    assert deal
    assert all(mention.polarity <= -0.1 for mention in deal)
    assert experience
    assert all(mention.polarity >= 0.1 for mention in experience)


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("Большой выбор", "assortment"),
        ("Хлеба опять нет", "availability"),
        ("Цены кусаются", "price"),
        ("Где обещанная скидка?", "promotion"),
        ("Мясо невкусное", "product_quality"),
        ("Молоко прокисло", "freshness"),
        ("Обслуживание на высоте", "service"),
        ("Продавщица молодец", "staff"),
        ("Очередь как в СССР", "queue"),
        ("На кассе обсчитали", "checkout"),
        ("Тесно и душно", "store_environment"),
        ("Грязный пол", "cleanliness"),
        ("Тележки ржавые", "equipment"),
        ("Курьер опоздал", "delivery"),
        ("Возврат оформили быстро", "returns"),
        ("Бонусы не начислили", "loyalty_programme"),
        ("Этикетки не видно", "information"),
        ("Шырокі асартымент", "assortment"),
        ("Хлеба няма", "availability"),
        ("Цэны высокія", "price"),
        ("Зніжкі добрыя", "promotion"),
        ("Мяса нясмачнае", "product_quality"),
        ("Малако пракісла", "freshness"),
        ("Абслугоўванне дрэннае", "service"),
        ("Прадаўцы ветлівыя", "staff"),
        ("Чарга на паўгадзіны", "queue"),
        ("Каса самаабслугоўвання не працуе", "checkout"),
        ("Утульна", "store_environment"),
        ("Брудная падлога", "cleanliness"),
        ("Каляскі іржавыя", "equipment"),
        ("Кур'ер спазніўся", "delivery"),
        ("Вярнулі грошы", "returns"),
        ("Бонусы не налічылі", "loyalty_programme"),
        ("Шыльды зразумелыя", "information"),
        ("A wide selection", "assortment"),
        ("Milk is out of stock again", "availability"),
        ("The prices are too high", "price"),
        ("Good discounts", "promotion"),
        ("The meat was tasteless", "product_quality"),
        ("This bread is stale", "freshness"),
        ("The service was slow", "service"),
        ("Rude cashier", "staff"),
        ("The queue is too long", "queue"),
        ("Self-checkout froze", "checkout"),
        ("Nice and cosy", "store_environment"),
        ("Dirty floor", "cleanliness"),
        ("The trolley is broken", "equipment"),
        ("The courier was late", "delivery"),
        ("They gave me a refund", "returns"),
        ("My loyalty card does nothing", "loyalty_programme"),
        ("The signs are confusing", "information"),
    ],
)
def test_an_aspect_is_named_in_three_languages(text, aspect):
    found = {mention.aspect: mention.stage for mention in mentions(text)}
    assert found.get(aspect) == ASPECT_STAGES[aspect]


def test_each_clause_keeps_its_own_feeling():
    text = "Цены низкие, но грязно"
    found = {mention.aspect: mention for mention in mentions(text)}
    assert found["price"].polarity > 0 > found["cleanliness"].polarity
    assert [text[found[name].start : found[name].end] for name in ("price", "cleanliness")] == ["Цены низкие", "грязно"]


def test_a_clause_without_feeling_borrows_none():
    found = {mention.aspect: mention.polarity for mention in mentions("Касса у входа, колбаса гадость")}
    assert found["checkout"] > found["product_quality"]


def test_and_parts_clauses_that_both_have_something_to_say():
    found = {mention.aspect: mention.polarity for mention in mentions("Продавцы вежливые и хлеб чёрствый")}
    assert found["staff"] > 0 > found["freshness"]


def test_a_remark_without_aspect_joins_its_neighbour():
    for text in ("Спасибо, персонал у вас", "Персонал у вас, просто ужас"):
        (mention,) = mentions(text)
        assert (mention.aspect, mention.start, mention.end) == ("staff", 0, len(text))
        assert mention.polarity == score_comments([text])[0].polarity


def test_a_text_of_one_clause_and_its_mention_agree():
    text = "The staff are good!"
    assert [mention.polarity for mention in mentions(text)] == [score_comments([text])[0].polarity]


def test_a_list_of_wares_is_one_clause():
    text = "Хлеб, булочки, торты — всё свежее"
    (mention,) = mentions(text)
    assert (mention.aspect, mention.start, mention.end) == ("freshness", 0, len(text))


def test_a_ware_speaks_of_quality_only_where_nothing_else_is_named():
    assert aspects("Хлеб отличный") == {"product_quality"}
    assert aspects("Хлеб дорогой") == {"price"}
    assert aspects("Хлеб зачерствел") == {"freshness"}


@pytest.mark.parametrize("text", ["Ценный совет", "Очередной раз", "I will be back on Sunday", "Буду в воскресенье"])
def test_words_that_only_look_alike_name_nothing(text):
    assert not aspects(text) & {"product_quality", "price", "staff", "returns", "queue", "store_environment"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [("Спасибо, хорошего дня", None), ("Дзякуй вам", None), ("Thank you very much", None), ("Ну", "be")],
)
def test_a_text_that_names_nothing_is_one_mention_of_other(text, hint):
    (mention,) = mentions(text, hint)
    assert (mention.aspect, mention.start, mention.end) == ("other", 0, len(text))
    assert mention.polarity == score_comments([text], [hint])[0].polarity


def test_other_belongs_to_the_stage_of_its_touchpoint():
    assert mentions("Спасибо")[0].stage == "experience"
    assert mentions("Спасибо", touchpoint="entrance")[0].stage == "awareness"
    assert mentions("Спасибо", touchpoint="checkout")[0].stage == "deal"
    assert mentions("Спасибо", touchpoint="counter", touchpoint_stage="trigger")[0].stage == "trigger"


def test_staff_at_the_counter_belong_to_evaluation():
    assert mentions("Продавец вежливый")[0].stage == "deal"
    assert mentions("Продавец вежливый", touchpoint="counter")[0].stage == "evaluation"
    assert mentions("Очередь", touchpoint="counter")[0].stage == "deal"


def test_a_chain_may_move_an_aspect():
    moved = {**ASPECT_STAGES, "price": "deal"}
    assert mentions("Цены высокие", aspect_stages=moved)[0].stage == "deal"


@pytest.mark.parametrize("text", ["", "  ", "123", "👍", "Sehr gutes Brot", "店里很干净", "Дуже смачний хліб"])
def test_what_cannot_be_read_has_no_mention(text):
    assert mentions(text) == []


def test_results_keep_the_order_and_hints_must_match():
    found = locate(["Очередь", "", "Грязно"])
    assert [[mention.aspect for mention in one] for one in found] == [["queue"], [], ["cleanliness"]]
    with pytest.raises(ValueError):
        locate(["Очередь"], [])


def test_every_aspect_has_words_in_every_language():
    for language in LANGUAGES:
        named = {value.aspect for entries in aspect_words(language)._by_stem.values() for _pieces, value in entries}
        assert named == set(ASPECTS)


def test_a_stem_names_one_aspect():
    for language in LANGUAGES:
        pieces = [entry[0] for entries in aspect_words(language)._by_stem.values() for entry in entries]
        assert len(pieces) == len(set(pieces))
    assert parse("хот-дог~") == parse("хот дог~")


WORDS = ["касса", "и", "но", ",", ".", "—", "не", "хлеб", "свежий", "очередь", "нет", "каса", "чарга", "затое", "and"]
WORDS += ["queue", "but", "rude", "staff", "грязно", "))", "\n", "смачна", "the", "вельмі", "цены", "кассир", " "]
ANY_TEXT = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS)).map(" ".join))


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT, st.sampled_from([None, *LANGUAGES]), st.sampled_from([None, "entrance", "counter", "exit"]))
def test_any_text_is_located_without_fail(text, hint, touchpoint):
    found = mentions(text, hint, touchpoint=touchpoint)
    assert bool(found) == (detect(text, hint) is not None)
    for mention in found:
        assert mention.aspect in ASPECTS
        assert mention.stage in B2C_STAGES
        assert 0 <= mention.start < mention.end <= len(text)
        assert text[mention.start : mention.end].strip() == text[mention.start : mention.end]
        assert mention.polarity is None or -1 <= mention.polarity <= 1
    assert len({(mention.aspect, mention.start) for mention in found}) == len(found)
