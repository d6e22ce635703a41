"""The kiosk runs on tablets that nobody updates: nothing in its shell is newer than Chrome 95 (October 2021)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk import shell

TOO_NEW_SCRIPT = {
    "structuredClone": (r"\bstructuredClone\b", 98),
    "findLast": (r"\.findLast(Index)?\(", 97),
    "groupBy": (r"\.groupBy\(", 117),
    "toSorted and its like": (r"\.(toSorted|toReversed|toSpliced|with)\(", 110),
    "Array.fromAsync": (r"\bfromAsync\b", 121),
    "AbortSignal.timeout": (r"\bAbortSignal\.(timeout|any)\b", 103),
    "Promise.withResolvers": (r"\bwithResolvers\b", 119),
    "set methods": (r"\.(isSubsetOf|symmetricDifference|isDisjointFrom)\(", 122),
    "Array.at (keeps out of doubt)": (r"\.at\(-?\d", 92),
    "Object.hasOwn (keeps out of doubt)": (r"\bObject\.hasOwn\b", 93),
    "inert": (r"\.inert\b", 102),
    "popover": (r"\b(showPopover|popover)\b", 114),
    "regular expressions with v": (r"/[a-z]*v[a-z]*\.(test|exec)\(", 112),
    "view transitions": (r"\bstartViewTransition\b", 111),
    "URL.canParse": (r"\bURL\.canParse\b", 120),
    "using": (r"\b(await )?using \w+ =", 134),
}
TOO_NEW_STYLE = {
    "nesting": (r"(?m)^\s+&|\{[^{}@]*\{[^{}]*\}(?=[^{}]*\})(?<!@)", 112),
    ":has": (r":has\(", 105),
    "layers": (r"@layer\b", 99),
    "container queries": (r"@container\b|\bcq[wihb]\b", 105),
    "color-mix": (r"\bcolor-mix\(", 111),
    "light-dark": (r"\blight-dark\(", 123),
    "relative colours": (r"\b(rgb|hsl|lab|lch|oklch|oklab)\(from\b|\bokl(ch|ab)\(", 111),
    "subgrid": (r"\bsubgrid\b", 117),
    "ranges in media queries": (r"@media[^{]*[<>]", 104),
    "translate, rotate and scale of their own": (r"(?m)[{;]\s*(translate|rotate|scale)\s*:", 104),
    "starting style": (r"@starting-style\b", 117),
    "scope": (r"@scope\b", 118),
    "line heights as a unit": (r"\d(r?lh)\b", 109),
    "trigonometry": (r"\b(sin|cos|tan|round)\(", 111),
    "anchors": (r"\banchor\(|position-anchor", 125),
}
NEWER_UNITS = re.compile(r"([\w-]+):[^;{}]*\d[dsl]v[hwib]\b")


def code(path: Path) -> str:
    """Return a file without its comments and strings of words."""
    source = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"(?m)^\s*//.*$", "", source)


def files(suffix: str) -> list[Path]:
    return sorted(path for path in (Path(shell.__file__).parent / "static").glob(f"*{suffix}") if path.stem in OF_KIOSK)


OF_KIOSK = {Path(name).stem for _, name in (*shell.STYLES, *shell.SCRIPTS)} | {shell.WORKER.stem}


@pytest.mark.parametrize("path", files(".js"), ids=lambda path: path.name)
def test_no_script_is_newer_than_the_tablet(path: Path) -> None:
    source = code(path)
    assert {name: since for name, (sign, since) in TOO_NEW_SCRIPT.items() if re.search(sign, source)} == {}


@pytest.mark.parametrize("path", files(".css"), ids=lambda path: path.name)
def test_no_style_is_newer_than_the_tablet(path: Path) -> None:
    source = re.sub(r"@(media|keyframes)[^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", r"\2", code(path))
    queries = "\n".join(re.findall(r"@media[^{]*", code(path)))
    found = {name: since for name, (sign, since) in TOO_NEW_STYLE.items() if re.search(sign, source + queries)}
    assert found == {}


@pytest.mark.parametrize("path", files(".css"), ids=lambda path: path.name)
def test_a_newer_unit_has_an_older_one_before_it(path: Path) -> None:
    lines = code(path).splitlines()
    for number, line in enumerate(lines):
        if newer := NEWER_UNITS.search(line):
            assert re.search(rf"\b{newer[1]}:[^;]*\dv[hw]", lines[number - 1]), line


@pytest.mark.parametrize(
    ("sign", "source"),
    [
        (TOO_NEW_SCRIPT["structuredClone"], "const copy = structuredClone(item);"),
        (TOO_NEW_SCRIPT["Array.at (keeps out of doubt)"], "items.at(-1)"),
        (TOO_NEW_STYLE[":has"], "main:has(h1) { color: red; }"),
        (TOO_NEW_STYLE["ranges in media queries"], "@media (width >= 600px)"),
        (TOO_NEW_STYLE["nesting"], ".a { color: red; .b { color: blue; } }"),
        (TOO_NEW_STYLE["translate, rotate and scale of their own"], ".a { scale: 0.9; }"),
    ],
)
def test_what_is_too_new_is_recognised(sign: tuple[str, int], source: str) -> None:
    assert re.search(sign[0], source)
