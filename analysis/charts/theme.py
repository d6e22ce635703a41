"""The one look of all charts: colours, sizes, and how wide a text runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags

INK, MUTED, LINE, GROUND, PAPER = "#1f2933", "#5f656d", "#d9d6cf", "#f6f5f2", "#ffffff"
ACCENT, ALARM = "#0b6e75", "#b2412e"
SMILEYS = ("#b2412e", "#d98a3d", "#b9b4a7", "#6aa7a0", "#0b6e75")
"""From worst to best, diverging, safe for colour-blind eyes."""

CHANNELS: Mapping[str, tuple[str, str]] = {
    "button": ("#0072b2", "o"),
    "qr": ("#e69f00", "s"),
    "book": ("#d55e00", "^"),
    "mystery": ("#009e73", "D"),
    "staff": ("#cc79a7", "v"),
    "focus_group": ("#56b4e9", "P"),
    "comment": (INK, "*"),
    "review": ("#7a4b2a", ">"),
}
"""Colour and marker of every channel: Okabe & Ito 2008, whose black is the ink here and whose yellow is too pale on
paper; any darker yellow is vermilion to colour-blind eyes, a brown is not. Others are drawn muted with a cross."""
OTHER_CHANNEL = (MUTED, "X")
MARKERS: Mapping[str, float] = {"o": 9, "s": 8.5, "^": 10, "v": 10, ">": 10, "D": 7.5, "P": 10, "X": 10, "*": 15}
"""Size of a channel's marker, rim included, so that all look alike in weight and none measures less than 7 px."""

SMALL, TEXT, VALUE = 12, 14, 16
"""Sizes of type in px at the width a chart is drawn for; nothing is smaller than SMALL."""

WIDE_PX, NARROW_PX = 880, 344
BAND_OPACITY = 0.18
FEW = 30
"""Below this many answers lines are dashed; below analysis.metrics.SMALL_GROUP nothing is drawn."""

DASHES = (4.0, 3.0)
MEASURED_FONT = "DejaVu Sans"
FONT_FAMILY = "system-ui, 'DejaVu Sans', sans-serif"

_BREAKABLE = re.compile(r"\S+?-(?=\S)|\S+\s*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


def clean(text: str) -> str:
    """Return the text on one line without the characters XML has no place for."""
    return _UNPRINTABLE.sub(" ", text).strip()


@lru_cache(maxsize=4096)
def _advance(character: str, bold: bool) -> float:
    """Return how far one character moves the pen, in ems of DejaVu Sans."""
    properties = FontProperties(family=MEASURED_FONT, weight="bold" if bold else "normal")
    font = get_font(findfont(properties))
    if font.get_char_index(ord(character)) == 0:
        return 1.3  # not in the font: as wide as an emoji
    glyph = font.load_char(ord(character), flags=LoadFlags.NO_SCALE)
    return glyph.horiAdvance / font.units_per_EM


def text_width(text: str, size: float = TEXT, bold: bool = False) -> float:
    """Return the width of a line of text in px, measured in DejaVu Sans, which runs wider than system fonts."""
    return size * sum(_advance(character, bold) for character in text)


def shorten(text: str, room: float, size: float = TEXT, bold: bool = False) -> str:
    """Return the text, cut with "…" where it is wider than `room` px."""
    text = clean(text)
    if text_width(text, size, bold) <= room:
        return text
    while text and text_width(text + "…", size, bold) > room:
        text = text[:-1].rstrip()
    return text + "…"


def wrap(text: str, room: float, lines: int = 2, size: float = TEXT, bold: bool = False) -> list[str]:
    """Return the text on at most `lines` lines of `room` px, broken at spaces and hyphens, the last cut if need be."""
    parts = _BREAKABLE.findall(clean(text))
    found: list[str] = []
    while parts and len(found) < lines - 1:
        line = parts.pop(0)
        while parts and text_width((line + parts[0]).rstrip(), size, bold) <= room:
            line += parts.pop(0)
        found.append(shorten(line, room, size, bold))
    if parts:
        found.append(shorten("".join(parts), room, size, bold))
    return found


def _channels_of(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def blend(start: str, end: str, part: float) -> str:
    """Return the colour that lies `part` (0..1) of the way from start to end, as #rrggbb."""
    pairs = zip(_channels_of(start), _channels_of(end), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * part)):02x}" for a, b in pairs)


def smiley_colour(value: float, scale: tuple[float, float] = (0, 100)) -> str:
    """Return the colour of a value on the diverging palette from the worst to the best smiley."""
    part = min(1.0, max(0.0, (value - scale[0]) / (scale[1] - scale[0])))
    place = part * (len(SMILEYS) - 1)
    below = min(int(place), len(SMILEYS) - 2)
    return blend(SMILEYS[below], SMILEYS[below + 1], place - below)


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1..21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(ground: str) -> str:
    """Return the colour of text on a ground: ink, else white, else black, whichever first reaches 4.5 : 1."""
    candidates: Sequence[str] = (INK, PAPER, "#000000")
    return next((colour for colour in candidates if contrast(colour, ground) >= 4.5), "#000000")


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels_of(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
