"""From a figure to an inline SVG that a strict content security policy lets through."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import warnings
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure

from analysis.charts import theme
from analysis.charts.drawing import Note, Notes

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DECIMALS = re.compile(r"-?\d+\.\d+")
_BLANKS = re.compile(r"\s+")
_GEOMETRY = {"d", "x", "y", "stroke-width", "stroke-dasharray", "transform"}
_DROPPED = {"metadata", "style"}
_HALO = {"stroke": theme.PAPER, "stroke-width": "3", "stroke-linejoin": "round", "paint-order": "stroke"}

# The settings below are matplotlib's own globals: one drawing at a time may hold them.
_one_at_a_time = threading.Lock()
_SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "otklik", "svg.image_inline": True, "path.simplify": False}


def render(figure: Figure, title: str, description: str, prefix: str | None = None) -> str:
    """Return the figure as the markup of one <svg class="chart">, to be put into a page as it is.

    No style attribute or element, no script, prolog, date or fixed size; texts stay texts; the same figure, title and
    description give the same markup. All ids begin with `prefix`, by default one made from the content. A chart with
    links has the role "group", as an "img" may hold nothing that takes the focus.
    """
    root = ET.fromstring(_drawn(figure))  # noqa: S314 - matplotlib wrote it a moment ago
    found = getattr(figure, "notes", None)
    notes = found if isinstance(found, Notes) else Notes()
    _strip(root)
    _carry_out_notes(root, notes)
    _attributes_for_styles(root)
    linked = any(element.tag == "a" for element in root.iter())
    _unwrap_groups(root)
    body = "".join(ET.tostring(child, encoding="unicode") for child in root)
    prefix = prefix or "c" + hashlib.sha256(f"{title}\0{description}\0{body}".encode()).hexdigest()[:10]
    _rename_ids(root, prefix)
    _introduce(root, theme.clean(title), theme.clean(description), prefix, linked)
    return ET.tostring(root, encoding="unicode")


def _drawn(figure: Figure) -> str:
    stream = io.StringIO()
    with _one_at_a_time, mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # A glyph that DejaVu lacks (an emoji in a store's name) is the browser's to find.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.savefig(stream, format="svg", transparent=True)
    return stream.getvalue()


def _strip(root: ET.Element) -> None:
    """Drop metadata and styles, and take names out of their namespaces."""
    for parent in list(root.iter()):
        for child in list(parent):
            if _bare(child.tag) in _DROPPED:
                parent.remove(child)
    for element in root.iter():
        element.tag = _bare(element.tag)
        element.text = element.text if element.text and element.text.strip() else None
        element.tail = None
        for name in list(element.attrib):
            value = element.attrib.pop(name)
            element.set(_bare(name), value)


def _bare(name: str) -> str:
    return name.replace(_SVG, "").replace(_XLINK, "").rpartition("}")[2]


def _carry_out_notes(root: ET.Element, notes: Notes) -> None:
    for group in [element for element in root.iter("g") if element.get("id") in notes.by_gid]:
        note = notes.by_gid[group.attrib.pop("id")]
        if note.halo:
            for text in group.iter("text"):
                text.attrib.update(_HALO)
        for anchor in group.iter("a"):
            _name_link(anchor, note)


def _name_link(anchor: ET.Element, note: Note) -> None:
    """Give a link its name; a mark repeats the link of its text and stays out of the way of the keyboard."""
    for extra in ("type", "show", "actuate", "target"):
        anchor.attrib.pop(extra, None)
    if note.link is None:
        return
    tooltip = ET.Element("title")
    tooltip.text = note.link.label
    if next(anchor.iter("text"), None) is not None:
        anchor.set("aria-label", note.link.label)
    else:
        anchor.attrib.update({"tabindex": "-1", "aria-hidden": "true"})
    anchor.insert(0, tooltip)


def _attributes_for_styles(root: ET.Element) -> None:
    """Turn every style="a: b" into the presentation attribute a="b"."""
    for element in root.iter():
        for declaration in element.attrib.pop("style", "").split(";"):
            name, _, value = declaration.partition(":")
            if value:
                element.set(name.strip(), value.strip())
        for name in _GEOMETRY & element.attrib.keys():
            element.set(name, _short(element.attrib[name]))
        element.attrib.pop("font-family", None)
        element.attrib.pop("clip-path", None)
        size = element.get("font-size")
        if size:
            element.set("font-size", size.removesuffix("px"))
        if element.tag == "text" and (element.get("transform") or "").startswith("rotate(-0"):
            del element.attrib["transform"]
    # A page's style sheet reaches a marker where it is used, not where it is defined: the rim is said there alone.
    for shape in [path for defs in root.iter("defs") for path in defs.iter("path")]:
        shape.attrib.pop("stroke", None)


def _short(geometry: str) -> str:
    """Return coordinates to a hundredth of a px, which is finer than any screen shows."""
    rounded = _DECIMALS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), geometry)
    return _BLANKS.sub(" ", rounded).strip()


def _unwrap_groups(parent: ET.Element) -> None:
    """Put the children of groups that say nothing in the groups' places, and forget ids nobody refers to."""
    referred = set(_referred(parent))
    for element in parent.iter():
        if element.get("id") not in referred:
            element.attrib.pop("id", None)
    _unwrap(parent)


def _unwrap(parent: ET.Element) -> None:
    kept: list[ET.Element] = []
    for child in list(parent):
        _unwrap(child)
        if child.tag == "g" and not child.attrib:
            kept.extend(child)
        elif not (child.tag in {"g", "defs"} and len(child) == 0):
            kept.append(child)
    parent[:] = kept


def _referred(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        if element.tag == "use":
            yield element.get("href", "").removeprefix("#")
        for value in element.attrib.values():
            yield from _REFERENCE.findall(value)


def _rename_ids(root: ET.Element, prefix: str) -> None:
    names: dict[str, str] = {}
    for element in root.iter():
        if "id" in element.attrib:
            names[element.attrib["id"]] = element.attrib["id"] = f"{prefix}-{len(names)}"
    for element in root.iter():
        if element.tag == "use":
            element.set("href", "#" + names[element.attrib["href"].removeprefix("#")])
        for name, value in element.attrib.items():
            element.set(name, _REFERENCE.sub(lambda found: f"url(#{names[found[1]]})", value))


def _introduce(root: ET.Element, title: str, description: str, prefix: str, linked: bool) -> None:
    """Write the root's own attributes, title and description."""
    view_box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "chart",
            "viewBox": view_box,
            "role": "group" if linked else "img",
            "aria-labelledby": f"{prefix}-title {prefix}-desc",
            "font-family": theme.FONT_FAMILY,
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, {"id": f"{prefix}-{tag}"})
        element.text = text
        root.insert(place, element)
