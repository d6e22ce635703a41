"""Cutting a comment into clauses that each speak of one thing.

Sentence ends and contrasts («но», «зато», "but") always part. Commas, dashes and «и» part only where both sides have
something to say. A piece that names no aspect joins its neighbour («спасибо, хлеб хороший»), and so does one without
feeling that names but a ware or is a short item of a list («хлеб, булочки, торты — всё свежее»).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analysis.aspects import aspect_words
from analysis.sentiment.lexicon import lexicon
from analysis.sentiment.scoring import read
from analysis.sentiment.tokens import Kind, Token, tokenise

_LIST_ITEM_WORDS = 2


@dataclass(slots=True)
class Clause:
    """A stretch of a text, the aspects it names in order, and its polarity (None when nothing carries any)."""

    start: int
    end: int
    aspects: list[str] = field(default_factory=list)
    polarity: float | None = None


@dataclass(slots=True)
class _Piece:
    tokens: list[Token]
    named: bool
    wares_alone: bool
    carries: bool

    def joins(self, other: _Piece) -> bool:
        """Tell whether this piece and the next are one clause."""
        if not (self.named and other.named):
            return True
        words = sum(token.kind is Kind.WORD for token in self.tokens)
        return not self.carries and (self.wares_alone or words <= _LIST_ITEM_WORDS)

    def joined(self, other: _Piece) -> _Piece:
        return _Piece(
            self.tokens + other.tokens,
            self.named or other.named,
            self.wares_alone and other.wares_alone,
            self.carries or other.carries,
        )


def clauses(text: str, language: str) -> list[Clause]:
    """Return the clauses of a text in "ru", "be" or "en", in order, trimmed to their words and signs."""
    found = []
    for sentence in _sentences(tokenise(text), language):
        pieces = [_weigh(text, piece, language) for piece in sentence]
        found += [_clause(text, piece.tokens, language) for piece in _merge(pieces)]
    return found


def _sentences(tokens: list[Token], language: str) -> Iterator[list[list[Token]]]:
    """Yield what stands between sentence ends and contrasts, as pieces parted by commas, dashes and conjunctions."""
    words = lexicon(language)
    pieces: list[list[Token]] = [[]]
    at = 0
    while at < len(tokens):
        token, taken, role = tokens[at], 1, ""
        if token.kind is Kind.WORD:
            taken, entry = words.match(tokens, at)
            role = entry.role if entry else ""
        if token.kind is Kind.STRONG or role == "contrast":
            yield [piece for piece in pieces if piece]
            pieces = [[]]
        elif token.kind is Kind.WEAK or role == "conjunction":
            pieces.append([])
        else:
            pieces[-1] += tokens[at : at + taken]
        at += taken
    yield [piece for piece in pieces if piece]


def _weigh(text: str, tokens: list[Token], language: str) -> _Piece:
    carries = read(_slice(text, tokens), language).polarity is not None
    outright, wares = _named(tokens, language)
    return _Piece(tokens, bool(outright or wares), bool(wares) and not outright, carries)


def _merge(pieces: list[_Piece]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        if merged and merged[-1].joins(piece):
            merged[-1] = merged[-1].joined(piece)
        else:
            merged.append(piece)
    return merged


def _clause(text: str, tokens: list[Token], language: str) -> Clause:
    polarity = read(_slice(text, tokens), language).polarity
    # wares count only where nothing else is named
    outright, wares = _named(tokens, language)
    return Clause(tokens[0].start, tokens[-1].end, outright or wares, polarity)


def _slice(text: str, tokens: list[Token]) -> str:
    return text[tokens[0].start : tokens[-1].end]


def _named(tokens: list[Token], language: str) -> tuple[list[str], list[str]]:
    """Return the aspects named, each once: those named outright, and those named by a ware alone."""
    words = aspect_words(language)
    named: dict[str, dict[str, None]] = {"": {}, "ware": {}, "of_ware": {}}
    at = 0
    while at < len(tokens):
        found = words.match(tokens, at) if tokens[at].kind is Kind.WORD else None
        if found:
            named[found[1].strength][found[1].aspect] = None
        at += found[0] if found else 1
    outright = named[""] or (named["of_ware"] if named["ware"] else {})
    return list(outright), list(named["ware"])
