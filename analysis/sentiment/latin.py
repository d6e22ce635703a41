"""Russian and Belarusian written with Latin letters, brought back to Cyrillic: «norm, no dorogo» as «норм, но дорого».

People write as they hear, so that the tables take in the usual ways at once (zh and ž, y and j, h and kh). What comes
out is for reading by a machine; what staff see is the text as it was written.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CYRILLIC = re.compile("[\u0400-\u052f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LETTER = re.compile("[a-z\u00df-\u024f]")


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs.split())


_RUSSIAN = _table(
    "shch=щ sch=щ zh=ж kh=х ts=ц tc=ц ch=ч sh=ш ij=ий yj=ый iy=ий yy=ый yu=ю ju=ю ya=я ja=я yo=ё jo=ё ye=е je=е "
    "ay=ай oy=ой ey=ей uy=уй aj=ай oj=ой ej=ей uj=уй a=а b=б v=в g=г d=д e=е z=з i=и j=й k=к l=л m=м n=н o=о p=п r=р "
    "s=с t=т u=у f=ф h=х c=ц y=ы x=кс w=в q=к č=ч š=ш ž=ж '=ь ’=ь"
)
_BELARUSIAN = _table(
    "dž=дж dz=дз dź=дзь ch=х kh=х zh=ж sh=ш cz=ч sz=ш ja=я je=е jo=ё ju=ю ya=я ye=е yo=ё yu=ю ia=я ie=е io=ё iu=ю "
    "lia=ля lie=ле li=лі le=ле la=ля lo=лё lu=лю a=а b=б v=в g=г d=д e=э z=з i=і j=й k=к l=ль m=м n=н o=о p=п r=р s=с "
    "t=т u=у f=ф h=г c=ц y=ы ł=л š=ш ž=ж ż=ж č=ч ŭ=ў ś=сь ć=ць ź=зь ń=нь x=кс w=в '=' ’='"
)
_TABLES = {"ru": _RUSSIAN, "be": _BELARUSIAN}
_LONGEST = 4


class Readable(NamedTuple):
    """A text as it is read, and where each of its characters stands in the text as written."""

    text: str
    origins: list[int] | None = None
    """None: just where it stands here."""

    def written(self, original: str, start: int, end: int) -> str:
        """Return what stands in the original for a stretch of the text as read."""
        begin, stop = self.span(start, end)
        return original[begin:stop]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the original of a stretch of the text as read; the stretch is not empty."""
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end]


def readable(text: str, language: str) -> Readable:
    """Return a text in "ru" or "be" with Cyrillic letters where it was written with Latin ones."""
    table = _TABLES.get(language)
    if table is None or len(_LATIN.findall(text)) <= len(_CYRILLIC.findall(text)):
        return Readable(text)
    low = text.lower()
    if len(low) != len(text):
        return Readable(text)
    out: list[str] = []
    origins: list[int] = []
    at = 0
    while at < len(low):
        size = next((n for n in range(_LONGEST, 0, -1) if low[at : at + n] in table and _inside(low, at, n)), 0)
        put = table[low[at : at + size]] if size else text[at]
        if size and text[at].isupper():
            put = put.capitalize() if not text[at + 1 : at + 2].isupper() else put.upper()
        out.append(put)
        origins += [at] * len(put)
        at += size or 1
    return Readable("".join(out), [*origins, len(text)])


def _inside(low: str, at: int, size: int) -> bool:
    """Tell whether a key is made of letters, or is an apostrophe after one."""
    if low[at] in "'’":
        return at > 0 and bool(_LETTER.match(low[at - 1]))
    return True
