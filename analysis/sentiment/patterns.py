"""Word lists in which an entry is a form, a stem or a phrase; and the search for the longest that fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from analysis.sentiment.tokens import Kind, Token, normalise

T = TypeVar("T")
K = TypeVar("K")

_RU_CASES = (
    "а я о е и ы у ю ь й ом ем ой ей ою ею ам ям ами ями ах ях ов ев ий ый ое ее ая яя ые ие ого его ому ему ым им "
    "ых их ыми ими ую юю ия ию ией ием иям иями иях ью"
)
_RU_VERBS = "л ла ло ли ть ет ит ят ут ют ат ешь ишь ете ите лся лась лось лись ться тся ется ится ются ятся утся"
_RU_SUPERLATIVES = "ейший ейшая ейшее ейшие ейшего ейшей ейших ейшим ейше"
_BE_CASES = "э і аў еў ай яй амі ямі ага яга аму яму ім ымі імі ыя ія ае яе ай аю яю ох оў ёў іх эй эю ау еу оу еі ою"
_BE_VERBS = "ць ц іць ыць уць юць аць яць лі у ўся уся лася лася лося ліся ся цца ецца аецца іцца аюць аем"
_BE_SUPERLATIVES = "эйшы эйшая эйшае эйшыя ейшы ейшая ейшае ейшыя"
_ENGLISH = "s es ed d ing er ers est ly y ies 's"
ENDINGS = frozenset(
    normalise(ending)
    for group in (_RU_CASES, _RU_VERBS, _RU_SUPERLATIVES, _BE_CASES, _BE_VERBS, _BE_SUPERLATIVES, _ENGLISH)
    for ending in group.split()
) | {""}
"""What may follow a stem written with `~`."""

_CACHE_LIMIT = 20_000
"""Words kept with what the list says of them; memory stays bounded whatever is typed."""
_LONGEST_WORD = 40
_MANY = 4


class Piece(NamedTuple):
    """One word of a pattern: its letters and how they may go on ("" not at all, "~" an ending, "*" anything)."""

    stem: str
    mode: str

    def fits(self, word: str) -> bool:
        """Tell whether a normalised word is this piece."""
        if not self.mode:
            return word == self.stem
        if not word.startswith(self.stem):
            return False
        return self.mode == "*" or word[len(self.stem) :] in ENDINGS


def parse(pattern: str) -> tuple[Piece, ...]:
    """Return the pieces of a written pattern such as `широк~ выбор~`; words part at spaces and hyphens."""
    return tuple(
        Piece(normalise(word.rstrip("*~")), word[-1] if word[-1] in "*~" else "")
        for word in pattern.replace("-", " ").split()
    )


def sections(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each line of a list file as (its section's head, its patterns); `#` begins a comment line.

    A pattern before the first section raises ValueError.
    """
    head = ""
    for line in map(str.strip, lines):
        if line.startswith("["):
            head = line.strip("[]")
        elif line and not line.startswith("#"):
            if not head:
                raise ValueError(f"pattern outside a section: {line}")
            yield head, [pattern.strip() for pattern in line.split(",") if pattern.strip()]


def _remember(store: dict[K, T], key: K, value: T) -> T:
    if len(store) >= _CACHE_LIMIT:
        store.clear()
    store[key] = value
    return value


class PatternIndex(Generic[T]):
    """Patterns with a value each, searched by the first word; the longest phrase, then the longest stem wins."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._by_stem: dict[str, list[tuple[tuple[Piece, ...], T]]] = {}
        for pattern, value in entries:
            pieces = parse(pattern)
            self._by_stem.setdefault(pieces[0].stem, []).append((pieces, value))
        self._shortest = min(map(len, self._by_stem), default=1)
        # Plain dicts: reads and writes of one key are atomic, and a lost entry is only found again.
        self._cache: dict[str, list[tuple[tuple[Piece, ...], T]]] = {}
        self._pairs: dict[tuple[str, str], list[tuple[tuple[Piece, ...], T]]] = {}

    def match(self, tokens: Sequence[Token], at: int) -> tuple[int, T] | None:
        """Return (words taken, value) of the best pattern that begins at a word token, or None."""
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        for pieces, value in self._candidates(tokens[at].norm, after.norm if after else ""):
            if len(pieces) == 1 or self._follows(pieces, tokens, at):
                return len(pieces), value
        return None

    def _candidates(self, word: str, after: str) -> list[tuple[tuple[Piece, ...], T]]:
        """Return what may begin with a word; of many phrases («не …») only those that go on with the next."""
        found = self._cache.get(word)
        if found is None:
            found = _remember(self._cache, word, self._search(word))
        if len(found) < _MANY:
            return found
        pair = self._pairs.get((word, after))
        if pair is None:
            going_on = [entry for entry in found if len(entry[0]) == 1 or entry[0][1].fits(after)]
            pair = _remember(self._pairs, (word, after), going_on)
        return pair

    def _search(self, word: str) -> list[tuple[tuple[Piece, ...], T]]:
        if len(word) > _LONGEST_WORD:
            return []
        found = []
        for length in range(len(word), self._shortest - 1, -1):
            found += [entry for entry in self._by_stem.get(word[:length], ()) if entry[0][0].fits(word)]
        return sorted(found, key=lambda entry: (-len(entry[0]), -len(entry[0][0].stem), entry[0][0].mode))

    @staticmethod
    def _follows(pieces: tuple[Piece, ...], tokens: Sequence[Token], at: int) -> bool:
        rest = tokens[at : at + len(pieces)]
        return len(rest) == len(pieces) and all(
            token.kind is Kind.WORD and piece.fits(token.norm) for piece, token in zip(pieces, rest, strict=True)
        )
