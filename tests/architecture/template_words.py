"""Find words that stand in a Jinja template as they are, outside everything that translates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from jinja2 import Environment, nodes

# n is the sign of statistics for how many there were, the same in every language.
ALLOWED = {"Otklik", "otklik", "Отклик", "отклик", "RU", "BE", "EN", "n"}
VISIBLE = {"alt", "title", "placeholder", "aria-label", "aria-description", "aria-roledescription", "label"}
BUTTONS = {"submit", "button", "reset"}
ATTRIBUTE_BLOCKS = ("_class", "_id", "_attributes")
DATA_SCRIPTS = {"application/json", "application/ld+json"}
# A private-use character stands where Jinja prints something: no letter, no space, no tag.
PRINTED = "\ue000"
# What a macro prints inside a tag, and the address of a page: nobody reads either as words.
NO_WORDS = re.compile(rf"""(?:\s*[a-z-]+="[^"]*")+\s*|\s*/[a-z/{PRINTED}]+\s*""")
WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")

environment = Environment(
    extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
    autoescape=True,
)


@dataclass(frozen=True)
class Literal:
    """A literal word: the line it stands on and the text around it."""

    line: int
    text: str


def literals(source: str) -> list[Literal]:
    """Return the literal words of a template, by line.

    Looks at text between tags, at attributes that people see or hear, at the value of buttons, at inline scripts
    other than JSON, and at strings handed to {{ }} as they are or by such an attribute's name.
    """
    reader = Reader()
    reader.feed(without_jinja(source))
    reader.close()
    found = reader.found + list(in_expressions(source))
    return sorted(set(found), key=lambda literal: (literal.line, literal.text))


def without_jinja(source: str) -> str:
    """Return the template's own text with PRINTED for what Jinja prints; the lines keep their numbers.

    Left out is what {% trans %} translates, and blocks that fill in an attribute: {% block page_class %}.
    """
    parts: list[str] = []
    statement: list[str] = []
    line, quiet = 1, 0
    for number, token, value in environment.lexer.tokeniter(source, None):
        if token == "name":
            statement.append(value)
        elif token == "block_end":
            quiet = max(0, quiet + depth(statement, bool(quiet)))
        if token in {"block_begin", "variable_begin", "block_end"}:
            statement = []
        padding = "\n" * (number - line)
        text = value if token == "data" and not quiet else ""
        text = PRINTED if token == "variable_begin" and not quiet else text
        parts.append(padding + text)
        line += len(padding) + text.count("\n")
    return re.sub(f"(</?){PRINTED}", r"\1x", "".join(parts))


def depth(statement: list[str], quiet: bool) -> int:
    """Return how a statement changes the depth of what is left out: 1, 0 or -1."""
    match statement:
        case ["trans", *_]:
            return 1
        case ["block", name, *_] if quiet or name.endswith(ATTRIBUTE_BLOCKS):
            return 1
        case ["endtrans" | "endblock", *_] if quiet:
            return -1
    return 0


def in_expressions(source: str) -> Iterator[Literal]:
    """Yield strings that {{ }} prints as they are, or that a macro gets as a visible attribute."""
    tree = environment.parse(source)
    named = VISIBLE | {name.replace("-", "_") for name in VISIBLE}
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            if isinstance(node, nodes.Const):
                yield from words(str(node.value), node.lineno)
    for keyword in tree.find_all(nodes.Keyword):
        if keyword.key in named and isinstance(keyword.value, nodes.Const):
            yield from words(str(keyword.value.value), keyword.lineno)


def words(text: str, line: int) -> Iterator[Literal]:
    """Yield the text with its line if it holds a word that is not allowed."""
    for offset, part in enumerate(text.split("\n")):
        if not NO_WORDS.fullmatch(part) and any(word not in ALLOWED for word in WORD.findall(part)):
            yield Literal(line + offset, part.strip().replace(PRINTED, "{}"))


class Reader(HTMLParser):
    """Collect literals from HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Literal] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes; remember whether what follows is a script of data or a style."""
        values = {name: value or "" for name, value in attrs}
        self._silent = tag == "style" or (tag == "script" and values.get("type") in DATA_SCRIPTS)
        for name, value in values.items():
            button = name == "value" and tag == "input" and values.get("type") in BUTTONS
            described = tag == "meta" and name == "content" and values.get("name") == "description"
            if name in VISIBLE or button or described:
                self.found.extend(words(value, self.getpos()[0]))

    def handle_endtag(self, tag: str) -> None:
        """Listen again after a script or a style."""
        self._silent = False

    def handle_data(self, data: str) -> None:
        """Look at text between tags."""
        if not self._silent:
            self.found.extend(words(data, self.getpos()[0]))
