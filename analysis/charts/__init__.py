"""Charts: finished numbers and translated words in, a matplotlib Figure out, and from it an inline SVG."""

from analysis.chart_data import Bar, RankedRow, Reference, SourceLine, StagePoint, Width, Words
from analysis.charts.counts import count_map, histogram
from analysis.charts.emotion import emotion_curve
from analysis.charts.heat import heat_map
from analysis.charts.ranks import ranked_stores, touchpoint_rows
from analysis.charts.sparks import spark
from analysis.charts.svg import render

__all__ = [
    "Bar",
    "RankedRow",
    "Reference",
    "SourceLine",
    "StagePoint",
    "Width",
    "Words",
    "count_map",
    "emotion_curve",
    "heat_map",
    "histogram",
    "ranked_stores",
    "render",
    "spark",
    "touchpoint_rows",
]
