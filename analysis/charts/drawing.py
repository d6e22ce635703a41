"""A sheet to draw on in px from the top left, which keeps links and halos for the SVG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from analysis.chart_data import Link
from analysis.charts import theme
from analysis.charts.curve import Bezier, Point, backwards

_SAFE_URL = re.compile(r"(https?://|/|\?|#)")
_PX_PER_INCH = 72
"""The SVG backend works in points of 1/72 inch: at this figure one unit of the view box is one px."""

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Note:
    """What an artist carries into the SVG beyond what matplotlib can say."""

    link: Link | None = None
    halo: bool = False


@dataclass
class Notes:
    """The notes of one figure by the artist's gid."""

    by_gid: dict[str, Note] = field(default_factory=dict)

    def add(self, note: Note) -> str:
        gid = f"note-{len(self.by_gid)}"
        self.by_gid[gid] = note
        return gid


class ChartFigure(Figure):
    """A matplotlib figure without axes whose artists may bear notes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.notes = Notes()


class Drawing:
    """Lines, shapes and texts in px, each drawn over the ones before it."""

    def __init__(self, width: float, height: float) -> None:
        size = (width / _PX_PER_INCH, height / _PX_PER_INCH)
        # A layout engine, edge and ground are set outright: the figure must not depend on a user's matplotlibrc.
        self.figure = ChartFigure(figsize=size, dpi=_PX_PER_INCH, frameon=False, layout="none")
        self.width, self.height = width, height
        scale = 1 / _PX_PER_INCH
        self._px = Affine2D().scale(scale, -scale).translate(0, height * scale) + self.figure.dpi_scale_trans
        self._order = 0

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = theme.TEXT,
        colour: str = theme.INK,
        align: Align = "left",
        bold: bool = False,
        halo: bool = False,
        link: Link | None = None,
    ) -> None:
        """Write one line of text, its baseline at y."""
        text = theme.clean(text)
        if not text:
            return
        artist = Text(
            x,
            y,
            text,
            color=colour,
            fontsize=size,
            fontfamily=theme.MEASURED_FONT,
            fontweight="bold" if bold else "normal",
            ha=align,
            va="baseline",
            parse_math=False,
            usetex=False,
        )
        self._add(artist, link, halo)

    def line(
        self,
        points: Sequence[Point],
        colour: str,
        thickness: float = 1.0,
        *,
        dashed: bool = False,
        opacity: float = 1.0,
    ) -> None:
        """Draw straight lines through the points."""
        self._stroke(Path(points), colour, thickness, dashed, opacity)

    def curve(self, pieces: Sequence[Bezier], colour: str, thickness: float, *, dashed: bool = False) -> None:
        """Draw joined Bézier pieces."""
        if pieces:
            self._stroke(_path(pieces), colour, thickness, dashed, 1.0)

    def band(self, one: Sequence[Bezier], other: Sequence[Bezier], colour: str) -> None:
        """Fill what lies between two curves with the opacity of an interval."""
        there, back = _path(one), _path(backwards(other))
        back.codes[0] = Path.LINETO  # type: ignore[index]
        outline = Path.make_compound_path(there, back)
        outline.codes[len(there.codes)] = Path.LINETO  # type: ignore[index, arg-type]
        self._fill(outline, colour, theme.BAND_OPACITY)

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str,
        *,
        opacity: float = 1.0,
        radius: float = 0.0,
        link: Link | None = None,
    ) -> None:
        """Fill a rectangle with its top left corner at x, y."""
        self._fill(_box(x, y, width, height, radius), colour, opacity, link)

    def frame(self, x: float, y: float, width: float, height: float, colour: str, radius: float = 0.0) -> None:
        """Draw the dashed outline of a rectangle."""
        self._stroke(_box(x, y, width, height, radius), colour, 1.0, True, 1.0)

    def mark(
        self,
        x: float,
        y: float,
        colour: str,
        *,
        size: float = 9.0,
        shape: str = "o",
        hollow: bool = False,
        link: Link | None = None,
    ) -> None:
        """Set a marker with a thin rim of paper, so that it stands clear of the lines beneath."""
        artist = Line2D(
            [x],
            [y],
            linestyle="none",
            marker=shape,
            markersize=size,
            markerfacecolor=theme.PAPER if hollow else colour,
            markeredgecolor=colour if hollow else theme.PAPER,
            markeredgewidth=2.0 if hollow else 1.5,
        )
        self._add(artist, link)

    def face(self, x: float, y: float, colour: str, *, happy: bool, radius: float = 9.0) -> None:
        """Draw a little face around x, y that smiles or frowns."""
        self._stroke(_circle(x, y, radius), colour, 1.6, False, 1.0)
        for side in (-1, 1):
            self._fill(_circle(x + side * radius * 0.36, y - radius * 0.22, radius * 0.14), colour, 1.0)
        middle, bend = (0.3, 0.75) if happy else (0.58, 0.12)
        ends = [(x - radius * 0.5, y + radius * middle), (x + radius * 0.5, y + radius * middle)]
        low = y + radius * bend
        mouth: Bezier = (ends[0], (x - radius * 0.22, low), (x + radius * 0.22, low), ends[1])
        self.curve([mouth], colour, 1.6)

    def _stroke(self, path: Path, colour: str, thickness: float, dashed: bool, opacity: float) -> None:
        style: Any = (0, tuple(theme.DASHES)) if dashed else "solid"
        # matplotlib counts dashes in line widths, the theme in px.
        if dashed:
            style = (0, tuple(length / thickness for length in theme.DASHES))
        patch = PathPatch(
            path,
            fill=False,
            edgecolor=colour,
            linewidth=thickness,
            linestyle=style,
            alpha=opacity,
            capstyle="butt",
            joinstyle="round",
        )
        self._add(patch)

    def _fill(self, path: Path, colour: str, opacity: float, link: Link | None = None) -> None:
        self._add(PathPatch(path, facecolor=colour, linewidth=0, edgecolor="none", alpha=opacity), link)

    def _add(self, artist: Artist, link: Link | None = None, halo: bool = False) -> None:
        if link is not None and not _SAFE_URL.match(link.url):
            link = None
        if link is not None:
            artist.set_url(link.url)
        if link is not None or halo:
            artist.set_gid(self.figure.notes.add(Note(link, halo)))
        self._order += 1
        artist.set_zorder(self._order)
        artist.set_transform(self._px)
        self.figure.add_artist(artist)


def _path(pieces: Sequence[Bezier]) -> Path:
    vertices = [pieces[0][0]]
    for _, first, second, end in pieces:
        vertices += [first, second, end]
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(vertices) - 1)
    return Path(vertices, codes)


def _circle(x: float, y: float, radius: float) -> Path:
    return Path.unit_circle().transformed(Affine2D().scale(radius).translate(x, y))


def _box(x: float, y: float, width: float, height: float, radius: float) -> Path:
    """Return a rectangle, its corners rounded by quadratic curves."""
    r = min(radius, width / 2, height / 2)
    left, top, right, bottom = x, y, x + width, y + height
    if r == 0:
        return Path([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], closed=True)
    vertices = [
        *((left + r, top), (right - r, top), (right, top), (right, top + r)),
        *((right, bottom - r), (right, bottom), (right - r, bottom)),
        *((left + r, bottom), (left, bottom), (left, bottom - r)),
        *((left, top + r), (left, top), (left + r, top), (left + r, top)),
    ]
    line, bend = Path.LINETO, Path.CURVE3
    codes = [Path.MOVETO, line, bend, bend, line, bend, bend, line, bend, bend, line, bend, bend, Path.CLOSEPOLY]
    return Path(vertices, codes)
