"""Words on a curve stand free: no figure lies on the line, its interval, the period before or another figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.charts import SourceLine, StagePoint, Words, emotion_curve, render, theme
from analysis.charts.drawing import ChartFigure
from analysis.charts.labels import free_top
from analysis.metrics import Estimate
from feedback_app.domain.journey import B2C_STAGES

EN = Words(lambda value: f"{value:.0f}", lambda n: f"{n}", "too few to say", "period before")
DRAWN = re.compile(r"-?\d+(?:\.\d+)?")
Box = tuple[float, float, float, float]

levels = st.integers(0, 100)
stage_values = st.tuples(levels, st.integers(0, 40), st.sampled_from([2, 12, 300]), st.none() | levels)
journeys = st.lists(stage_values, min_size=5, max_size=5)
RISES_AT_THE_END = [(70, 8, 300, 72), (66, 5, 300, 70), (50, 6, 300, 55), (58, 6, 300, 60), (69, 18, 41, 74)]
ON_ONE_LINE = [(50, 4, 300, 50), (50, 4, 2, 50), (50, 40, 12, 10), (50, 4, 300, 90), (0, 20, 300, 0)]


def the_curve(journey: Sequence[tuple[int, int, int, int | None]]) -> list[StagePoint]:
    return [
        StagePoint(name, Estimate(value, max(0, value - half), min(100, value + half), n), before)
        for name, (value, half, n, before) in zip(B2C_STAGES, journey, strict=True)
    ]


def drawn(figure: ChartFigure) -> ET.Element:
    return ET.fromstring(re.sub(r' xmlns="[^"]+"', "", render(figure, "Emotion", "")))


def boxes(root: ET.Element) -> list[Box]:
    """Return left, top, right and bottom of the ink of every figure that speaks of a stage."""
    found = []
    for text in root.iter("text"):
        if not text.get("stroke"):
            continue
        size = float(text.get("font-size", "0"))
        wide = theme.text_width(text.text or "", size, bold=text.get("font-weight") == "700")
        left, base = float(text.get("x", "0")) - wide / 2, float(text.get("y", "0"))
        found.append((left, base - 0.73 * size, left + wide, base))
    return found


def lines(root: ET.Element) -> list[list[tuple[float, float]]]:
    """Return the points along every curve and around every band or bar of an interval; faces are left out."""
    found = []
    for path in root.iter("path"):
        shape, band = path.get("d", ""), path.get("opacity") == f"{theme.BAND_OPACITY}"
        curve = "C" in shape and path.get("fill") == "none" and path.get("stroke-width") != "1.6"
        if band or curve:
            found.append(along(shape))
    return found


def along(shape: str) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for command, rest in re.findall(r"([MLCQ])([^MLCQz]*)", shape):
        numbers = [float(number) for number in DRAWN.findall(rest)]
        ends = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "C":
            start = points[-1]
            for step in range(1, 61):
                t = step / 60
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                x = sum(weight * point[0] for weight, point in zip(weights, [start, *ends], strict=True))
                y = sum(weight * point[1] for weight, point in zip(weights, [start, *ends], strict=True))
                points.append((x, y))
        else:
            points += ends
    return points


def crossed(box: Box, line: list[tuple[float, float]]) -> bool:
    left, top, right, bottom = box
    return any(left <= x <= right and top <= y <= bottom for x, y in line)


@settings(max_examples=40, deadline=None)
@example(RISES_AT_THE_END)
@example(ON_ONE_LINE)
@given(journeys)
def test_no_figure_stands_on_the_curve_its_interval_or_the_period_before(
    journey: Sequence[tuple[int, int, int, int | None]],
) -> None:
    root = drawn(emotion_curve(the_curve(journey), EN, labels=False))
    figures = boxes(root)
    assert len(figures) == 10
    assert not [(box, line[0]) for box in figures for line in lines(root) if crossed(box, line)]
    for (left, top, right, bottom), other in combinations(figures, 2):
        assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    assert all(top >= 0 for _, top, _, _ in figures)


def test_the_lines_are_really_looked_at() -> None:
    found = lines(drawn(emotion_curve(the_curve(RISES_AT_THE_END), EN, labels=False)))
    assert len(found) == 3
    assert all(any(x > 900 for x, _ in line) for line in found)


def test_on_a_phone_the_figures_stand_beside_the_curve() -> None:
    root = drawn(emotion_curve(the_curve(RISES_AT_THE_END), EN, width="narrow"))
    edge = min(float(mark.get("x", "0")) for mark in root.iter("use"))
    for text in root.iter("text"):
        if text.text in {"70", "66", "50", "58", "69"} and text.get("font-weight") == "700":
            assert float(text.get("x", "0")) + theme.text_width(text.text, 16, bold=True) < edge - 6


def test_the_period_before_is_named_beneath() -> None:
    root = drawn(emotion_curve(the_curve(RISES_AT_THE_END), EN))
    places = {text.text: float(text.get("y", "0")) for text in root.iter("text")}
    assert places["period before"] > places["0"]
    alone = drawn(emotion_curve(the_curve([(*stage[:3], None) for stage in RISES_AT_THE_END]), EN))
    assert "period before" not in [text.text for text in alone.iter("text")]


@pytest.mark.parametrize(("above", "top"), [(True, 64.0), (False, 106.0)])
def test_where_both_sides_are_free_the_slope_decides(above: bool, top: float) -> None:
    assert free_top((100.0, 100.0), 30.0, [], above=above) == top


def test_a_label_goes_to_the_side_that_is_free() -> None:
    assert free_top((100.0, 100.0), 30.0, [(40.0, 98.0)], above=True) == 106.0
    assert free_top((100.0, 100.0), 30.0, [(102.0, 160.0)], above=False) == 64.0


def test_every_source_has_a_colour_and_a_marker_of_its_own() -> None:
    looks = [*theme.CHANNELS.values(), theme.OTHER_CHANNEL]
    assert len({colour for colour, _ in looks}) == len(looks)
    assert len({shape for _, shape in looks}) == len(looks)
    assert all(size >= 7 for size in theme.MARKERS.values())
    assert {shape for _, shape in looks} <= set(theme.MARKERS)


@pytest.mark.parametrize("channel", ["comment", "review"])
def test_words_are_drawn_darker_than_the_grey_of_the_period_before(channel: str) -> None:
    colour, _ = theme.CHANNELS[channel]
    assert theme.contrast(colour, theme.PAPER) > theme.contrast(theme.MUTED, theme.PAPER)
    source = SourceLine(channel, channel, [Estimate(60, 50, 70, 300)] * 5)
    assert colour in render(emotion_curve(the_curve(RISES_AT_THE_END), EN, [source]), "", "")
