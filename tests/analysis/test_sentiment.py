"""Sentiment of comments in three languages: what a shop director would read out of them."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textblob import TextBlob

from analysis.journey import locate
from analysis.sentiment import LANGUAGES, MODEL_VERSIONS, detect, label_of, score_comments, warm_up
from analysis.sentiment.analyzers import LexiconAnalyzer
from analysis.sentiment.comments import CommentAnalyzer
from analysis.sentiment.lexicon import read_words
from analysis.sentiment.patterns import parse, sections


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


def score(text, hint=None):
    return score_comments([text], [hint])[0]


PRAISE = [
    "Очень вкусный хлеб, спасибо",
    "без очередей",
    "Очередей нет",
    "ничего плохого не скажу",
    "нет хамства",
    "Никаких нареканий",
    "Невысокие цены, недорого",
    "не только вкусно, но и недорого",
    "Никогда не подводили",
    "Фармацевт внимательная, всё объяснила и помогла",
    "Заправили быстро, кофе ароматный",
    "Дорого, но очень вкусно",
    "не плохо",
    "Чисто, нет очередей",
    "оооочень вкусно)))",
    "Вельмі смачны хлеб, дзякуй",
    "Чэргаў няма",
    "без чэргаў",
    "нічога дрэннага",
    "Прадаўцы ветлівыя, усё свежае",
    "Не толькі смачна, але і недарага",
    "Дорага, затое вельмі смачна і свежа",
    "Great bakery, friendly staff",
    "The bread is delicious",
    "Expensive, but excellent meat",
]
TROUBLE = [
    "не очень",
    "не вкусно",
    "Неаппетитно",
    "Очереди каждый вечер а хлеба нет",
    "Плоооохо",
    "Магазин не работает по вечерам",
    "Невкусно!",
    "обслуживание не очень",
    "Вкусно, но очень дорого и грязно",
    "Хлеба опять нет",
    "Не хватает касс",
    "Продавец не был вежливым",
    "нет вежливости",
    "ничего хорошего",
    "Обвесили в мясном отделе",
    "Просрочка на полках",
    "Колонка не работает",
    "В аптеке долго ждать",
    "раньше было лучше",
    "Кофе холодный, булочка черствая",
    "не вельмі",
    "не смачна",
    "нясмачна",
    "Няма свежага хлеба",
    "Касірка нахаміла",
    "Адна каса на ўсю краму",
    "Смачна, але брудна і дорага",
    "Не хапае ветлівасці",
    "Rude cashier, terrible service",
    "The bread was not good",
    "Nice place, but awful coffee",
]


@pytest.mark.parametrize("text", PRAISE)
def test_praise_is_positive(text):
    assert score(text).label == "positive"


@pytest.mark.parametrize("text", TROUBLE)
def test_trouble_is_negative(text):
    assert score(text).label == "negative"


@pytest.mark.parametrize(
    "text",
    [
        *["", "   ", "12345", "!!!", "👍👍", "商店很好", "فروشگاه خوب است", "фцвкнгш", "asdfgh"],
        *["Der Verkäufer war sehr nett", "Bardzo dobry sklep, dziękuję", "Très bon magasin"],
        *["Дуже гарний магазин, дякую", "Магазинът е много добър"],
    ],
)
def test_other_languages_digits_and_noise_are_not_scored(text):
    found = score(text)
    assert (found.language, found.polarity, found.label, found.terms) == (None, None, None, [])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Купил хлеб и молоко", "ru"),
        ("Заходзіў учора па хлеб", "be"),
        ("I bought the table", "en"),
        ("Добрый день", "ru"),
    ],
)
def test_a_text_without_feeling_is_neutral(text, language):
    found = score(text)
    assert (found.language, found.label) == (language, "neutral")


@pytest.mark.parametrize(
    ("text", "screen", "language"),
    [
        ("Вкусно", "be", "ru"),
        ("Касса не работает", "be", "ru"),
        ("Спасибо", "be", "ru"),
        ("Дзякуй", "ru", "be"),
        ("Каса не працуе", "ru", "be"),
        ("Вельмi смачна", "ru", "be"),
        ("Хлеб", "be", "be"),
        ("Хлеб", "ru", "ru"),
        ("Магазин", "en", "ru"),
        ("norm, no dorogo", None, "ru"),
        ("ochen vkusno, spasibo", "en", "ru"),
        ("dziakuj, vielmi smačna", "ru", "be"),
        ("Cashier", "en", "en"),
        ("The cashier was rude", "ru", "en"),
        ("Sehr gut", "en", None),
    ],
)
def test_the_screen_decides_only_where_the_text_does_not(text, screen, language):
    assert detect(text, screen) == language


def test_terms_stand_as_written():
    text = "ОЧЕНЬ вкусно, но Без Улыбки; Невкусно"
    assert [term for term, _ in score(text).terms] == ["ОЧЕНЬ вкусно", "Без Улыбки", "Невкусно"]
    assert [term for term, _ in score("The bread is NOT Good").terms] == ["NOT Good"]
    assert [term for term, _ in score("norm, no Dorogo").terms] == ["norm", "Dorogo"]


def test_what_follows_the_contrast_weighs_more():
    assert score("дорого, но вкусно").polarity > score("вкусно, но дорого").polarity
    assert score("вкусно, хотя дорого").polarity > score("вкусно, но дорого").polarity
    assert score("дорага, затое смачна").polarity > score("смачна, але дорага").polarity
    assert score("it is expensive but good").polarity > score("it is good but expensive").polarity


def test_a_contrast_ends_with_its_sentence():
    first, second = score("Дорого, но вкусно. Плохо."), score("Дорого, но вкусно, плохо.")
    assert first.polarity > second.polarity


def test_a_negation_does_not_reach_across_the_sentence():
    assert score("Не пойму как у вас получается всегда вкусно").label == "positive"


def test_only_the_thing_beside_no_is_absent():
    assert score("Очереди у обеих касс вечером нет").polarity < 0 < score("Очередей вечером нет").polarity


def test_a_latin_i_is_read_as_belarusian():
    latin, cyrillic = score("Вельмi дрэнна", "be"), score("Вельмі дрэнна", "be")
    assert latin.label == cyrillic.label == "negative"
    assert [weight for _, weight in latin.terms] == [weight for _, weight in cyrillic.terms]


def test_very_is_stronger_and_somewhat_is_weaker():
    assert score("очень плохо").polarity < score("плохо").polarity < score("немного плохо").polarity < 0
    assert score("вельмі дрэнна").polarity < score("дрэнна").polarity < score("крыху дрэнна").polarity < 0


def test_a_negated_praise_is_milder_than_abuse():
    assert score("отвратительно").polarity < score("не вкусно").polarity < 0


def test_no_as_an_answer_is_no_complaint():
    assert score("нет").label == "neutral"
    assert score("Нет, всё хорошо").label == "positive"


@pytest.mark.parametrize("text", ["Хамон", "Радио играет", "Следующий отличается", "Добрый день"])
def test_words_that_only_look_alike_carry_nothing(text):
    assert LexiconAnalyzer("ru").analyze(text).polarity is None
    assert score(text).label == "neutral"


def test_the_analyzers_serve_textblob():
    assert TextBlob("Очень вкусно", analyzer=CommentAnalyzer()).sentiment == score("Очень вкусно")
    assert TextBlob("Смачна", analyzer=CommentAnalyzer("be")).sentiment == score("Смачна", "be")
    assert TextBlob("Очень вкусно", analyzer=LexiconAnalyzer("ru")).sentiment.polarity > 0


@pytest.mark.parametrize(
    "text",
    [
        *["Не плохо", "ничего плохого", "не без вкуса", "не могу не похвалить", "без нареканий", "norm, vse vkusno"],
        *["нядрэнна", "без заўваг", "not bad at all", "no complaints", "can't fault it", "nothing but praise"],
    ],
)
def test_a_negated_trouble_is_praise(text):
    assert score(text).label == "positive"


@pytest.mark.parametrize(
    "text",
    [
        *[
            "Не советую",
            "больше ни ногой",
            "ничего хорошего",
            "не вкусно",
            "ne vkusno i dorogo",
            "совсем не вежливо",
        ],
        *[
            "не раю",
            "нічога добрага",
            "never again",
            "not worth the money",
            "I would not recommend it",
            "hardly edible",
        ],
    ],
)
def test_a_negated_praise_is_blame(text):
    assert score(text).label == "negative"


def test_labels_begin_at_a_tenth():
    found = [label_of(value) for value in (-1.0, -0.1, -0.099, 0.0, 0.099, 0.1, 1.0)]
    assert found == ["negative", "negative", "neutral", "neutral", "neutral", "positive", "positive"]
    assert label_of(None) is None


def test_every_result_names_its_model():
    found = score_comments(["вкусно", "смачна", "the bread is good", "12"])
    assert [one.model for one in found] == [MODEL_VERSIONS[key] for key in (*LANGUAGES, None)]
    assert len(set(MODEL_VERSIONS.values())) == 4
    assert all(name.partition("/")[2].isdigit() for name in MODEL_VERSIONS.values())


def test_results_keep_the_order_and_hints_must_match():
    assert [one.label for one in score_comments(["плохо", "хорошо"])] == ["negative", "positive"]
    assert score_comments([]) == []
    with pytest.raises(ValueError):
        score_comments(["плохо", "хорошо"], ["ru"])


def test_a_result_does_not_change():
    with pytest.raises(FrozenInstanceError):
        score("плохо").polarity = 1.0


def test_threads_score_alike():
    texts = PRAISE + TROUBLE
    alone = score_comments(texts)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(lambda _: score_comments(texts), range(16)))


def test_threads_that_load_together_score_alike():
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from analysis.sentiment import score_comments\n"
        "texts = ['The bread is good', 'вкусно', 'смачна']\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    found = list(pool.map(lambda _: [s.label for s in score_comments(texts)], range(8)))\n"
        "assert found == [['positive'] * 3] * 8, found\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_importing_is_light():
    code = (
        "import sys, analysis.sentiment, analysis.journey\n"
        "assert not {'textblob', 'nltk', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_stands_once_in_its_list(language):
    seen = [
        parse(pattern) for head, patterns in sections(read_words(language)) for pattern in patterns if head != "prefix"
    ]
    assert len(seen) == len(set(seen))


LETTERS = "абвгґеёжзіийклмнопрстуўфхцчшщъыьэюяabcdefghijklmnopqrstuvwxyzİßΩ'’ʼ \n\t.,!?:()-—0123456789👍😡\u0301\u0306"
WORDS = ["не", "очень", "вкусно", "нет", "очередей", "но", "зато", "без", "вельмі", "няма", "чэргаў", "але", "смачна"]
WORDS += ["not", "very", "good", "but", "awful", "хотя", "не хватает", ",", ".", "!", "и", "))", "хлеб", "касса", "the"]
ANY_TEXT = st.one_of(
    st.text(max_size=200), st.text(LETTERS, max_size=120), st.lists(st.sampled_from(WORDS)).map(" ".join)
)


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT, st.sampled_from([None, "ru", "be", "en", "de"]))
def test_any_text_is_read_without_fail(text, hint):
    found = score(text, hint)
    assert found == score(text, hint)
    assert found.label == label_of(found.polarity)
    assert (found.polarity is None) == (found.language is None)
    if found.polarity is not None:
        assert found.language in LANGUAGES
        assert -1 <= found.polarity <= 1
        assert found.polarity == round(found.polarity, 3)
    assert all(-1 <= weight <= 1 for _, weight in found.terms)
    if found.language in ("ru", "be"):
        assert all(term in text for term, _ in found.terms)
    located = locate([text], [hint])[0]
    assert bool(located) == (found.language is not None)
    assert all(0 <= one.start < one.end <= len(text) for one in located)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "\x00",
            "\ud83d",
            "\ud800 плохо",
            "\u202eплохо\u202c",
            "пл\u0336о\u0336хо\u0334\u0321\u0353\u0318",
            "😡" * 300,
        ],
        *[
            "<b>плохо</b><script>alert(1)</script>",
            "很好吃，服务也不错",
            "шум" * 3000,
            "\n" * 50,
            "1" * 400,
            "плохо\u200d" * 9,
        ],
    ],
)
def test_odd_texts_are_read_without_fail(text):
    found = score(text)
    assert found.polarity is None or -1 <= found.polarity <= 1
    locate([text])


def test_a_very_long_text_is_cut():
    praise = "Очень вкусно. "
    assert score(praise + "ужас " * 20_000).label == score(praise + "ужас " * 1_000).label


def test_a_long_comment_is_read_at_once():
    for piece in ("не ", "нет, ", "good but ", "(", "а.", "хлеб, "):
        text = (piece * 4000)[:4000]
        began = time.perf_counter()
        score(text, "ru")
        assert time.perf_counter() - began < 1
