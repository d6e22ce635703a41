"""The register's chain: what one link says, byte by byte, and how it hangs on the link before.

docs/register.md has the same in words, with an example that a test works out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

FORM = 1
"""Version of the canonical form."""
START = "0" * 64
"""What stands for the link before the first."""
SALT_BYTES = 32

ENTRY, ADOPTED, OPENED, ERASURE, ANSWER, NOTE = "entry", "adopted", "opened", "erasure", "answer", "note"
VERDICT = "verdict"
"""What the writer says of an answer."""


@dataclass(frozen=True)
class Link:
    """One link of a store's chain: who did what to which entry or case, and when.

    `facts` stand for good; of erasable words only `seals` stand here, by name: SHA-256 over salt and value.
    """

    register: str
    store_id: int
    position: int
    at: datetime
    kind: str
    actor: str
    facts: Mapping[str, Any]
    seals: Mapping[str, str]
    entry_id: UUID | None = None
    case_id: int | None = None
    previous: str = START

    def moved(self, position: int) -> Link:
        """Return the same link as if it stood elsewhere."""
        return replace(self, position=position)


def moment(at: datetime) -> str:
    """Return a time as the chain writes it: UTC with microseconds and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(value: Any) -> Any:
    """Return a value of a row as the chain writes it: times, dates and ids as text, all else as it is."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, letters as they are (RFC 8259, UTF-8)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def message(link: Link) -> bytes:
    """Return the bytes of a link that its HMAC covers, beside the link before."""
    return canonical(
        {
            "actor": link.actor,
            "at": moment(link.at),
            "case": link.case_id,
            "entry": None if link.entry_id is None else str(link.entry_id),
            "facts": dict(link.facts),
            "form": FORM,
            "kind": link.kind,
            "position": link.position,
            "register": link.register,
            "seals": dict(link.seals),
            "store": link.store_id,
        }
    ).encode()


def hang(key: bytes, link: Link) -> str:
    """Return a link's value, 64 hex digits: HMAC-SHA-256 of the link before (32 bytes), then the message (RFC 2104)."""
    return hmac.new(key, bytes.fromhex(link.previous) + message(link), hashlib.sha256).hexdigest()


def new_salt() -> str:
    """Return a fresh salt as 64 hex digits."""
    return secrets.token_hex(SALT_BYTES)


def seal(salt: str, value: str | bytes) -> str:
    """Return the commitment to an erasable value: SHA-256 over the salt's 32 bytes and the value's UTF-8.

    Without the salt nobody can try out which value it was; with salt and value gone it says nothing any more.
    """
    content = value.encode() if isinstance(value, str) else bytes(value)
    return hashlib.sha256(bytes.fromhex(salt) + content).hexdigest()


def sealed(words: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the salts and the seals of words, by name."""
    salts = {name: new_salt() for name in words}
    return salts, {name: seal(salts[name], value) for name, value in words.items()}
