"""Charts: finished numbers and translated words in, a matplotlib Figure out, and from it an inline SVG."""

from analysis.charts.emotion import emotion_curve
from analysis.charts.emotion_lines import SourceLine, StagePoint
from analysis.charts.heat import heat_map
from analysis.charts.ranks import RankedRow, Reference, ranked_stores, touchpoint_rows
from analysis.charts.sparks import spark
from analysis.charts.svg import render
from analysis.charts.theme import Width, Words

__all__ = [
    "RankedRow",
    "Reference",
    "SourceLine",
    "StagePoint",
    "Width",
    "Words",
    "emotion_curve",
    "heat_map",
    "ranked_stores",
    "render",
    "spark",
    "touchpoint_rows",
]
