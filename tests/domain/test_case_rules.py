"""Which words open a case by themselves: what is dangerous does, a figure of speech does not."""

from __future__ import annotations

import pytest

from feedback_app.domain.case_rules import (
    CRITICAL,
    DANGER,
    VERY_NEGATIVE,
    Rules,
    dangers,
    read_table,
    reason_of,
    words_of,
)

ON = Rules(words=dangers())

DANGEROUS = """
Отравились вашим салатом всей семьёй
ребёнок ОТРАВИЛСЯ йогуртом, вызвали скорую
В хлебе нашли кусок стекла
В салате плесень!
заплесневелый сыр, срок ещё не вышел
у дочери аллергия, а орехов нет в составе
Поскользнулась на мокром полу, сломала руку
сын порезался о полку
пахнет гарью у холодильников
Пожарный выход заставлен коробками
охранник угрожал мне
не пустили инвалида в магазин
Меня обозвали из-за моей национальности
таракан на витрине с пирожными
волос в котлете
ударило током от холодильника
Атруціліся вашым салатам
У хлебе цвіль
У дачкі алергія на арэхі
паслізнуўся на мокрай падлозе
ахоўнік пагражаў мне
У крупе чарвякі
Пахне газам? пах газу ў зале
My son got food poisoning from your salad
There was mould on the bread
I found a piece of glass in the jar
my daughter is allergic and nuts were not listed
I slipped and fell at the entrance
the guard threatened me
the fire exit is blocked
cockroaches in the bakery
Refused to serve me because of my accent
не свежее, отравился
не было охраны, меня ударили
Охраны нет, избили покупателя
Молока нет. Таракан на полке
Такого никогда не было, плесень в хлебе
Полно тараканов, нет уборки
Не обошлось без тараканов
Не только просрочка, но и плесень
Меня вырвало после вашего салата
Волос в супе
Мыши в отделе круп
В салате волос
У салаце волас
Видела мышей в зале
На складе пожар, все бежали
Пожар на складе, не знали как выйти
Никто не заметил плесени на хлебе
No one noticed mould in the bread
Загорелась проводка над кассой
Охранник ударил покупателя в нос
Вошёл с пистолетом
Чуть не упала на мокром полу
Сын аллергик, а орехи в составе не указали
Аллергены не указаны на ценнике
На батоне цвілі поўна
Ахоўнікі пабілі пакупніка
Загарэлася праводка
Не было ахоўніка, мяне ўдарылі, пайшла кроў
The security man hit me
The freezer is on fire
He hit my child
Allergy label was wrong
My son needed stitches
I had an allergic reaction to the soup
No allergy information, my daughter was ill
A security guard stalked me around the shop
The cashier used a racial slur
No manager around, mould on the bread
Never again, mice in the bakery
There was mould on the cheddar cheese
"""

HARMLESS = """
Кассир отравил настроение на весь день
Очередь отравляет жизнь
У меня аллергия на очереди
цены просто убийственные
цены — бомба
Порезали колбасу тонко, спасибо
куртку поносил неделю и порвал
Котлеты пожарские очень вкусные
спешите как на пожар
Взрыв вкуса!
голубой сыр с плесенью хороший
без плесени, всё свежее
ударили ценами по карману
драконовские правила возврата
Чарга атруціла настрой
сыр з плесенню смачны
killer prices
the queue poisoned my mood
prices exploded
blue cheese with mould is great
no mould, everything fresh
great value, this place is on fire with deals
passed out samples of cheese
sparkling water was cold
Всё хорошо, спасибо
Большой выбор красок для волос в магазине
Шампунь для волос в подарок
Запах свежей выпечки ударил в нос, очень вкусно
Спасибо за таблички с аллергенами
Great allergy labelling, thanks
аллергики благодарят
Заправочный пистолет капает
Клеевой пистолет без цены
Беспроводные мыши в ассортименте
Купил мясо, дома пожарил - вкусно
Slurpee machine is out of order
Asparagus stalks were fresh
The smell of fresh bread hit me
The staff were on fire today
The cashier had us in stitches
Загорелась новая касса
чуть не упала на кассе
Нет ни одного таракана
Нет аллергии, ем спокойно
Травм не было
Not a single injury
Не было плесени ни разу
Никогда не было просрочки и плесени
Никаких тараканов, чисто
Плесени ни разу не видели
Тараканов нет
Продавец загорелый и весёлый
Несколько яиц побились, заменили
Мармеладные червячки понравились дочке
Есть средство от плесени и ловушки для тараканов
Ядовито-зелёный ценник
Опарыши для рыбалки свежие
Мазь от ушибов нашла быстро
Игрушечная пожарная машинка, сын рад
Схватил за полцены
Разделочная доска с ножом в наборе
Дзякуй за апеку і ўвагу
Лямпы напальвання ёсць
Прадавец загарэлы і вясёлы
Спяшаўся як на пажар
Няма ніводнага прусака
Ніколі не было цвілі
Бесправадныя мышы ў наяўнасці
Not a single cockroach
I have never seen any mice here
No sign of mould or rats
Wireless mice are cheap
Grabbed my coffee and left
Gummy worms are tasty
The silicone mould is handy
The price gun is broken
An explosion of flavours
Wormwood tea and hair dye in the beauty aisle
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("text", lines(DANGEROUS))
def test_danger_is_heard(text: str) -> None:
    assert reason_of(ON, text=text) == DANGER


@pytest.mark.parametrize("text", lines(HARMLESS))
def test_a_figure_of_speech_is_none(text: str) -> None:
    found = dangers().found_in(words_of(text))
    assert found is None, found


def test_the_table_holds_well_over_a_hundred_and_fifty_phrases_in_three_languages() -> None:
    assert len(dangers()) > 450


def test_a_line_that_says_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="ab"):
        read_table("kind\tlanguage\tphrase\tunless\nfire\ten\tab*\t")


def test_the_chain_s_own_words_count_too() -> None:
    own = Rules(words=dangers(("ртуть", "разбит* градусник", "§")))
    assert reason_of(own, text="Ртуть на полу") == DANGER
    assert reason_of(own, text="разбитый градусник") == DANGER
    assert reason_of(ON, text="Ртуть на полу") is None


def test_the_gravest_reason_is_named_and_rules_can_be_off() -> None:
    bad = {"text": "В салате плесень", "polarity": -0.95, "label": "negative"}
    assert reason_of(ON, **bad, failed_critical=True) == CRITICAL
    assert reason_of(ON, **bad) == DANGER
    assert reason_of(Rules(words=None), **bad) == VERY_NEGATIVE
    assert reason_of(Rules(very_negative=None, words=None), **bad) is None
    assert reason_of(Rules(very_negative=None, words=None), failed_critical=True) == CRITICAL


@pytest.mark.parametrize(
    ("polarity", "label", "reason"),
    [(-0.95, "negative", VERY_NEGATIVE), (-0.94, "negative", None), (-0.9, "neutral", None), (None, None, None)],
)
def test_a_very_negative_comment_is_one_at_or_under_the_threshold(
    polarity: float | None, label: str | None, reason: str | None
) -> None:
    assert reason_of(ON, text="Ужасно", polarity=polarity, label=label) == reason


def test_of_what_looks_like_misuse_danger_alone_counts() -> None:
    assert reason_of(ON, text="Ужасно", polarity=-1, label="negative", suspicious=True) is None
    assert reason_of(ON, text="В салате плесень", suspicious=True) == DANGER


def test_letters_that_are_written_otherwise_are_the_same_words() -> None:
    assert words_of("З’ёлкі, ЁЖ и пле\u0301сень") == ["з'елкі", "еж", "и", "плесень"]
