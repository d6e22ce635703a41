"""Cutting comments into clauses that each speak of one thing.

Sentence ends, contrasts («но», «зато», "but"), commas, dashes and «и» part a text into pieces; the word lists and
the classifier say what each piece speaks of. A piece that names no aspect joins its neighbour («спасибо, хлеб
хороший»), and pieces of one sentence that speak of the same are one clause («хлеб, булочки, торты — всё свежее»). What
a clause says is then read beside its whole text: «тележка скрипит» is a complaint, more so in an angry letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.aspects import Named, listed, named_in, named_outright, names_ware_alone
from analysis.sentiment.latin import readable
from analysis.sentiment.lexicon import lexicon
from analysis.sentiment.own import scorer
from analysis.sentiment.patterns import PatternIndex
from analysis.sentiment.scoring import READ_CHARACTERS, readings_and_rows
from analysis.sentiment.tokens import Kind, Token, tokenise
from feedback_app.domain.journey import ASPECTS

if TYPE_CHECKING:
    import numpy as np

LIKELY = 0.4
"""Chance from which on the classifier names an aspect."""
LIKELIEST = 0.35
"""Chance from which on it names the likeliest one, where none is likely."""
BESIDE = 0.6
"""Chance from which on it names one beside those that a list names."""
BELIEVED = 0.1
"""Chance below which a word that a list names an aspect by is taken to mean something else."""
ITEM_WORDS = 2
"""Words of a ware that is one of a list: «хлеб, белые булочки, торты»."""
OTHER = "other"
_QUALITY = "product_quality"
OwnWords = Mapping[str, PatternIndex[Named]]


@dataclass(slots=True)
class Clause:
    """A stretch of a text, the aspects it speaks of, and its polarity in [-1, 1]."""

    start: int
    end: int
    aspects: list[str] = field(default_factory=list)
    polarity: float | None = None


@dataclass(slots=True)
class _Piece:
    tokens: list[Token]
    first: bool
    """Whether a sentence or a contrast begins here."""
    item: bool = False
    """Whether it is but a ware of a list, of which nothing is said yet."""

    def within(self, text: str) -> str:
        return text[self.tokens[0].start : self.tokens[-1].end]


def clauses(pairs: Sequence[tuple[str, str]], own_words: OwnWords | None = None) -> list[list[Clause]]:
    """Return the clauses of each (text, language), in order, trimmed to their words and signs.

    `own_words` are a chain's own words for aspects; they hold beside whatever the classifier says.
    """
    seen = [readable(text[:READ_CHARACTERS], language) for text, language in pairs]
    read = [(one.text, language) for one, (_, language) in zip(seen, pairs, strict=True)]
    cut = [list(_pieces(tokenise(text), language)) for text, language in read]
    spoken_of = iter(_aspects(read, cut, own_words or {}))
    found = [_merged(text, pieces, spoken_of) for (text, _), pieces in zip(read, cut, strict=True)]
    _weigh(read, found)
    for one, own in zip(seen, found, strict=True):
        for clause in own:
            clause.start, clause.end = one.span(clause.start, clause.end)
    return found


def _pieces(tokens: list[Token], language: str) -> Iterator[_Piece]:
    words = lexicon(language)
    piece, first = _Piece([], first=True), True
    at = 0
    while at < len(tokens):
        token, taken, role = tokens[at], 1, ""
        if token.kind is Kind.WORD:
            taken, entry = words.match(tokens, at)
            role = entry.role if entry else ""
        ends = token.kind is Kind.STRONG or role == "contrast"
        if ends or token.kind is Kind.WEAK or role == "conjunction":
            if piece.tokens:
                yield piece
                first = False
            first = first or ends
            piece = _Piece([], first)
        else:
            piece.tokens += tokens[at : at + taken]
        at += taken
    if piece.tokens:
        yield piece


def _aspects(
    read: Sequence[tuple[str, str]], cut: Sequence[Sequence[_Piece]], own_words: OwnWords
) -> Iterator[list[str]]:
    """Yield for each piece, text by text, which aspects it speaks of, the likeliest first."""
    import numpy as np  # noqa: PLC0415  (start-up time)

    from analysis.sentiment import blend, encoder, logistic  # noqa: PLC0415  (start-up time: numpy)

    flat = [(piece, text, language) for (text, language), own in zip(read, cut, strict=True) for piece in own]
    if not flat:
        return
    told = [listed(piece.tokens, language) for piece, _, language in flat]
    rows = np.hstack([encoder.encode([piece.within(text) for piece, text, _ in flat]), np.array(told, np.float32)])
    for (piece, _, language), says, chances in zip(flat, told, logistic.chances(rows, blend.of_aspects()), strict=True):
        piece.item = _is_item(piece, says, language)
        ours = named_in(piece.tokens, own_words[language]) if language in own_words else []
        yield _joined(ours, _named(chances, named_outright(says)), ware_alone=names_ware_alone(says))


def _is_item(piece: _Piece, says: Sequence[float], language: str) -> bool:
    words = sum(token.kind is Kind.WORD for token in piece.tokens)
    return words <= ITEM_WORDS and names_ware_alone(says) and not _carries(piece.tokens, language)


def _joined(ours: list[str], named: list[str], *, ware_alone: bool) -> list[str]:
    """Return a chain's own aspects beside the model's, without the quality that a ware alone stands for."""
    if not ours:
        return named
    beside = [name for name in named if name not in ours and not (ware_alone and name == _QUALITY)]
    return [name for name in ours if name != OTHER or not beside] + beside


def _carries(tokens: Sequence[Token], language: str) -> bool:
    words = lexicon(language)
    return any(
        (entry := words.match(tokens, at)[1]) is not None and entry.weight and entry.role in ("word", "thing")
        for at, token in enumerate(tokens)
        if token.kind is Kind.WORD
    )


def _named(chances: np.ndarray, outright: Sequence[str]) -> list[str]:
    chance = dict(zip(ASPECTS, map(float, chances), strict=True))
    believed = [name for name in outright if chance[name] >= BELIEVED]
    likely = [name for name in ASPECTS if name in believed or chance[name] >= (BESIDE if believed else LIKELY)]
    if not likely and max(chance.values()) >= LIKELIEST:
        likely = [max(ASPECTS, key=chance.__getitem__)]
    named = [name for name in likely if name != OTHER]
    return sorted(named, key=lambda name: -chance[name])


def _merged(text: str, pieces: Sequence[_Piece], spoken_of: Iterator[list[str]]) -> list[Clause]:
    found: list[Clause] = []
    item = False
    for piece in pieces:
        aspects = next(spoken_of)
        start, end = piece.tokens[0].start, piece.tokens[-1].end
        last = found[-1] if found else None
        same = last is not None and set(aspects) <= set(last.aspects)
        if last and item and not piece.first:
            last.end = end
            last.aspects = aspects or last.aspects
        elif last and ((not piece.first and same) or not aspects or not last.aspects):
            last.end = end
            last.aspects += [aspect for aspect in aspects if aspect not in last.aspects]
        else:
            found.append(Clause(start, end, aspects))
        item = piece.item
    return found


def _weigh(read: Sequence[tuple[str, str]], found: Sequence[Sequence[Clause]]) -> None:
    """Give each clause its polarity; a text that is one clause says what it says as a whole."""
    import numpy as np  # noqa: PLC0415  (start-up time)

    from analysis.sentiment import blend  # noqa: PLC0415  (start-up time: numpy)

    several = [at for at, own in enumerate(found) if len(own) > 1]
    parts = [(at, clause) for at in several for clause in found[at]]
    if not parts:
        return
    wholes = dict(zip(several, readings_and_rows([read[at] for at in several])[1], strict=True))
    slices = [(read[at][0][clause.start : clause.end], read[at][1]) for at, clause in parts]
    rows = np.hstack(
        [
            readings_and_rows(slices)[1],
            np.array([wholes[at] for at, _ in parts]),
            np.array([listed(tokenise(text), language) for text, language in slices], dtype=np.float32),
        ]
    )
    for (_, clause), polarity in zip(parts, blend.polarities(rows, scorer().clause_weights()), strict=True):
        clause.polarity = round(float(polarity), 3) + 0.0
