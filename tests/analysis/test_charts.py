"""Charts: what a reader sees, what a strict browser lets through, and that doubt is drawn as doubt."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts import (
    RankedRow,
    Reference,
    SourceLine,
    StagePoint,
    Width,
    Words,
    emotion_curve,
    heat_map,
    ranked_stores,
    render,
    spark,
    theme,
    touchpoint_rows,
)
from analysis.charts.curve import halves, smooth
from analysis.charts.drawing import ChartFigure
from analysis.metrics import Estimate

RU = Words(
    lambda v: f"{v:.0f}".replace("-", "−"), lambda n: f"{n:,}".replace(",", "\u202f"), "слишком мало", "период до"
)
BE = Words(RU.number, RU.count, "замала, каб сказаць", "мінулы перыяд")
STAGES = ["Усведамленне", "Ацэнка", "Здзелка", "Карыстальніцкі вопыт", "Трыгер"]
WIDTHS: list[Width] = ["wide", "narrow"]


def about(value: float, n: int = 120, half: float = 5.0) -> Estimate:
    return Estimate(value, value - half, value + half, n)


def a_map(width: Width = "wide", sources: bool = False, **numbers: int) -> ChartFigure:
    sizes = [812, 1204, numbers.get("deal", 640), 22, 140]
    values = [72.0, 78.0, 41.0, 63.0, 57.0]
    points = [
        StagePoint(name, about(value, n), before, f"/map/{place}?since=1&until=2")
        for place, (name, value, n, before) in enumerate(
            zip(STAGES, values, sizes, [70, 80, 52, None, 60], strict=True)
        )
    ]
    lines = [
        SourceLine("button", "кнопка", [about(75), about(80), about(50), about(70, 12), about(66)]),
        SourceLine("book", "книга отзывов", [about(75, 2), about(60), about(22, 9), about(50), about(41)]),
        SourceLine("loyalty_card", "карта лояльности", [about(50)] * 5),
    ]
    return emotion_curve(points, BE, lines if sources else (), width=width)


def a_week(width: Width = "wide") -> ChartFigure:
    cells = [[about(20 + 9 * day + hour, n=(1, 12, 90)[(day + hour) % 3]) for hour in range(14)] for day in range(7)]
    urls = [[f"/hours/{day}/{hour}" for hour in range(14)] for day in range(7)]
    days, hours = ["Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"], [str(hour) for hour in range(8, 22)]
    return heat_map(days, hours, cells, RU, urls=urls, width=width)


ROWS = [
    RankedRow("Центральный, проспект Победителей, 9 (у самой площади)", about(64, 2210), "место 3–4", "/stores/001"),
    RankedRow("Немига", about(81, 3400), "место 1", "/stores/002"),
    RankedRow("Віцебск", about(99, 4), "", "/stores/003"),
    RankedRow("Замок", about(47, 21), "место 4", "/stores/004", alarm=True),
]


def a_ranking(width: Width = "wide") -> ChartFigure:
    return ranked_stores(ROWS, RU, reference=Reference(67, "среднее по сети 67"), width=width)


def an_nps_list(width: Width = "wide") -> ChartFigure:
    rows = [RankedRow(name, about(value, half=9)) for name, value in zip(STAGES, [-20, 35, 5, 60, -91], strict=True)]
    return touchpoint_rows(rows, BE, scale=(-100, 100), reference=Reference(-90, "сярэдняе па сетцы −90"), width=width)


def a_spark(width: Width = "wide") -> ChartFigure:
    return spark([about(60), None, about(64), about(61, 12), about(66)], width=width)


CHARTS: list[Callable[[Width], ChartFigure]] = [
    a_map,
    lambda width: a_map(width, sources=True),
    a_week,
    a_ranking,
    an_nps_list,
    a_spark,
]


def drawn(figure: ChartFigure, title: str = "Касса теряет покупателей") -> ET.Element:
    return ET.fromstring(re.sub(r' xmlns="[^"]+"', "", render(figure, title, "Индекс 64 (61–67), n = 120")))


def texts(figure: ChartFigure) -> list[str]:
    return [element.text or "" for element in drawn(figure).iter("text")]


every_chart = pytest.mark.parametrize("chart", CHARTS, ids=["map", "sources", "heat", "ranks", "nps", "spark"])
every_width = pytest.mark.parametrize("width", WIDTHS)


@every_width
@every_chart
def test_a_strict_browser_lets_every_chart_through(chart: Callable[[Width], ChartFigure], width: Width) -> None:
    markup = render(chart(width), "Касса теряет покупателей", "Индекс 64 (61–67)")
    for refused in ("style=", "<style", "<script", "<?xml", "<!", "metadata", "javascript:", "xlink", " on"):
        assert refused not in re.sub(r">[^<]*<", "><", markup)
    assert not re.search(r"20\d\d-\d\d-\d\d", markup)


@every_width
@every_chart
def test_every_chart_introduces_itself_to_a_screen_reader(chart: Callable[[Width], ChartFigure], width: Width) -> None:
    root = drawn(chart(width))
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert root[0].text == "Касса теряет покупателей"
    assert root.get("aria-labelledby", "").split() == [root[0].get("id"), root[1].get("id")]
    assert root.get("role") == ("group" if root.find(".//a") is not None else "img")
    assert root.get("class") == "chart"
    assert root.get("viewBox")
    assert not {"width", "height", "style"} & set(root.attrib)


@every_width
@every_chart
def test_every_word_lies_on_the_sheet_and_none_is_smaller_than_12_px(
    chart: Callable[[Width], ChartFigure], width: Width
) -> None:
    root = drawn(chart(width))
    sheet = [float(number) for number in root.get("viewBox", "").split()]
    for element in root.iter("text"):
        size, text = float(element.get("font-size", "0")), element.text or ""
        wide = theme.text_width(text, size, bold=element.get("font-weight") == "700")
        left = (
            float(element.get("x", "0")) - {"start": 0, "middle": wide / 2, "end": wide}[element.get("text-anchor", "")]
        )
        assert size >= 12
        assert left >= -0.5, text
        assert left + wide <= sheet[2] + 0.5, text
        assert size * 0.7 <= float(element.get("y", "0")) <= sheet[3], text


@every_width
@every_chart
def test_the_same_numbers_give_the_same_drawing(chart: Callable[[Width], ChartFigure], width: Width) -> None:
    assert render(chart(width), "А", "Б") == render(chart(width), "А", "Б")


def test_charts_on_one_page_share_no_id() -> None:
    page = render(a_map(), "Первая", "") + render(a_map(), "Вторая", "") + render(a_ranking(), "Третья", "")
    page += render(a_map(), "Первая", "", prefix="again")
    found = re.findall(r' id="([^"]+)"', page)
    assert len(found) > 8
    assert len(found) == len(set(found))
    referred = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert referred
    assert referred <= set(found)


def test_a_name_with_markup_stays_a_name() -> None:
    name = "<script>alert(1)</script> & «$5 и $6»"
    figure = touchpoint_rows([RankedRow(name, about(60), url="/s?a=1&b=2")], RU, width="wide")
    markup = render(figure, '</title><b title="x">', "<i>&")
    assert "<script" not in markup
    assert "<b" not in markup
    root = ET.fromstring(re.sub(r' xmlns="[^"]+"', "", markup))
    assert root[0].text == '</title><b title="x">'
    assert any((element.text or "").startswith("<script>alert(1)") for element in root.iter("text"))


def test_what_xml_has_no_place_for_is_left_out() -> None:
    figure = touchpoint_rows([RankedRow("Не\x00ми\x0bга\nна углу 🍎", about(60))], RU)
    assert "Не ми га на углу 🍎" in texts(figure)


def test_cyrillic_stays_text_in_one_common_font() -> None:
    root = drawn(a_map())
    assert "Карыстальніцкі вопыт" in [element.text for element in root.iter("text")]
    assert root.get("font-family") == "system-ui, 'DejaVu Sans', sans-serif"
    assert not any(element.get("font-family") for element in root.iter("text"))


@every_width
def test_under_five_answers_a_stage_shows_only_their_number(width: Width) -> None:
    enough, few = a_map(width), a_map(width, deal=4)
    assert "41" in texts(enough)
    assert "41" not in texts(few)
    assert "замала, каб сказаць" in texts(few)
    assert "n\u00a0=\u00a04" in texts(few)
    assert len(list(drawn(few).iter("use"))) == len(list(drawn(enough).iter("use"))) - 1


def test_under_five_answers_neither_cell_nor_dot_nor_spark_is_drawn() -> None:
    blank = heat_map(["Пн"], ["9"], [[about(64, 4)]], RU)
    assert texts(blank) == ["9", "Пн"]
    assert theme.smiley_colour(64) not in render(blank, "", "")
    assert "слишком мало, n\u00a0=\u00a04" in texts(a_ranking())
    assert "99" not in texts(a_ranking())
    nothing = spark([about(60, 4), None, Estimate(None, None, None, 0)])
    assert theme.ACCENT not in render(nothing, "", "")


@every_width
def test_nothing_collected_yet_still_makes_a_sheet(width: Width) -> None:
    none = Estimate(None, None, None, 0)
    assert texts(emotion_curve([StagePoint("Здзелка", none)], BE, width=width)).count("замала, каб сказаць") == 1
    assert drawn(ranked_stores([], RU, width=width)) is not None
    assert drawn(heat_map([], [], [], RU, width=width)) is not None
    assert drawn(spark([], width=width)) is not None


@every_width
def test_one_stage_between_gaps_still_shows_its_interval(width: Width) -> None:
    none = Estimate(None, None, None, 0)
    figure = emotion_curve([StagePoint("А", none), StagePoint("Б", about(60)), StagePoint("В", none)], RU, width=width)
    assert f'opacity="{theme.BAND_OPACITY}"' in render(figure, "", "")
    assert "60" in texts(figure)


@pytest.mark.parametrize(
    "chart",
    [
        lambda n: emotion_curve([StagePoint("А", about(40, n)), StagePoint("Б", about(60, n))], RU),
        lambda n: spark([about(40, n), about(60, n)]),
        lambda n: heat_map(["Пн"], ["9"], [[about(64, n)]], RU),
        lambda n: touchpoint_rows([RankedRow("А", about(64, n))], RU),
    ],
)
def test_under_thirty_answers_lines_are_dashed(chart: Callable[[int], ChartFigure]) -> None:
    assert "stroke-dasharray" in render(chart(29), "", "")
    assert "stroke-dasharray" not in render(chart(30), "", "")


@pytest.mark.parametrize(
    "chart",
    [
        lambda n: emotion_curve([StagePoint("А", about(40, n))], RU),
        lambda n: touchpoint_rows([RankedRow("А", about(64, n))], RU),
    ],
)
def test_under_thirty_answers_a_dot_is_hollow(chart: Callable[[int], ChartFigure]) -> None:
    assert [dot.get("fill") for dot in drawn(chart(29)).iter("use")] == [theme.PAPER]
    assert [dot.get("fill") for dot in drawn(chart(30)).iter("use")] == [theme.ACCENT]


def test_columns_are_equal_and_points_stand_in_their_middle() -> None:
    root = drawn(a_map())
    wide = float(root.get("viewBox", "").split()[2])
    middles = [float(element.get("x", "")) for element in root.iter("use")]
    assert middles == pytest.approx([wide * (place + 0.5) / 5 for place in range(5)], abs=0.01)


def test_the_full_scale_is_drawn_whatever_the_values() -> None:
    figure = emotion_curve([StagePoint("А", about(60)), StagePoint("Б", about(64))], RU)
    root = drawn(figure)
    middle = {element.text: float(element.get("y", "")) - 4.5 for element in root.iter("text")}
    assert middle["0"] - middle["100"] == pytest.approx(160)
    first, second = (float(element.get("y", "")) for element in root.iter("use"))
    assert first == pytest.approx(middle["0"] - 0.60 * 160)
    assert second == pytest.approx(middle["0"] - 0.64 * 160)


def test_stores_stand_from_best_to_worst_and_the_unknown_last() -> None:
    names = [text for text in texts(a_ranking()) if text.split(",")[0] in ("Центральный", "Немига", "Віцебск", "Замок")]
    assert [name.split(",")[0] for name in names] == ["Немига", "Центральный", "Замок", "Віцебск"]
    listed = [text for text in texts(an_nps_list()) if text in STAGES]
    assert listed == STAGES


def test_a_phone_sees_the_week_with_its_axes_swapped() -> None:
    wide, narrow = texts(a_week("wide")), texts(a_week("narrow"))
    assert wide[:3] == ["8", "9", "10"]
    assert narrow[:3] == ["Пн", "Вт", "Ср"]
    assert sorted(wide) == sorted(narrow)


def test_a_point_leads_to_what_lies_beneath_once_for_the_keyboard() -> None:
    links = list(drawn(a_map()).iter("a"))
    by_keyboard = [link for link in links if link.get("tabindex") != "-1"]
    assert [link.get("href") for link in by_keyboard] == [f"/map/{place}?since=1&until=2" for place in range(5)]
    assert by_keyboard[2].get("aria-label") == "Здзелка: 41 (36–46), n\u00a0=\u00a0640"
    assert all(link.get("aria-hidden") == "true" for link in links if link not in by_keyboard)
    assert len(links) == 10


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " javascript:alert(1)", "vbscript:x"])
def test_a_link_that_would_run_something_is_no_link(url: str) -> None:
    assert drawn(touchpoint_rows([RankedRow("А", about(60), url=url)], RU)).find(".//a") is None


def test_numbers_in_cells_can_be_read_on_every_colour() -> None:
    for step in range(1001):
        ground = theme.smiley_colour(step / 10)
        assert theme.contrast(theme.readable_on(ground), ground) >= 4.5


def test_the_palette_begins_at_the_worst_smiley_and_ends_at_the_best() -> None:
    assert theme.smiley_colour(0) == theme.SMILEYS[0]
    assert theme.smiley_colour(-100, (-100, 100)) == theme.SMILEYS[0]
    assert theme.smiley_colour(50) == theme.SMILEYS[2]
    assert theme.smiley_colour(100) == theme.SMILEYS[-1]
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=9))
def test_between_two_stages_the_curve_never_leaves_their_range(values: list[float]) -> None:
    points = [(float(place), value) for place, value in enumerate(values)]
    pieces = smooth(points)
    assert [piece[0] for piece in pieces] + [pieces[-1][3]] == points
    for (start, end), piece in zip(pairwise(values), pieces, strict=True):
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            height = sum(weight * point[1] for weight, point in zip(weights, piece, strict=True))
            assert min(start, end) - 1e-9 <= height <= max(start, end) + 1e-9
    first, second = halves(pieces[0])
    assert first[3] == second[0]
    assert (first[0], second[3]) == (pieces[0][0], pieces[0][3])


@given(st.text(max_size=60), st.integers(40, 200))
def test_a_name_is_never_wider_than_its_room(name: str, room: int) -> None:
    assert theme.text_width(theme.shorten(name, room)) <= room
    lines = theme.wrap(name, room)
    assert len(lines) <= 2
    assert all(theme.text_width(line) <= room for line in lines)


def test_a_name_breaks_at_spaces_and_hyphens() -> None:
    assert theme.wrap("фокус-группа", 60, size=12) == ["фокус-", "группа"]
    assert theme.wrap("тайный покупатель", 80, size=12) == ["тайный", "покупатель"]
    assert theme.wrap("кнопка", 80) == ["кнопка"]


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="stages"):
        emotion_curve([], RU)
    with pytest.raises(ValueError, match="each of them"):
        emotion_curve([StagePoint("А", about(50))], RU, [SourceLine("qr", "анкета", [])])
    with pytest.raises(ValueError, match="cell for every"):
        heat_map(["Пн"], ["9", "10"], [[about(50)]], RU)


def test_drawing_at_the_same_time_changes_nothing() -> None:
    alone = render(a_ranking(), "А", "Б")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: render(a_ranking(), "А", "Б"), range(8)))
    assert set(together) == {alone}


def test_charts_never_load_pyplot() -> None:
    script = "import sys, analysis.charts; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
