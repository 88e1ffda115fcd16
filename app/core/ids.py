"""Identifiers: UUIDv7 for rows, short codes for people, derived tokens for pickups.

Short codes leave out 0, O, 1 and I (and L and U, which read badly aloud).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time

PEOPLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_LENGTH = 26
PIN_LENGTH = 6

_lock = threading.Lock()
_last = [0, 0]  # millisecond, counter


def new_id() -> str:
    """A UUIDv7 as text: sorts by time of making, also within one millisecond of one process."""
    with _lock:
        ms = time.time_ns() // 1_000_000
        if ms <= _last[0]:
            _last[1] += 1
            if _last[1] > 0xFFF:
                _last[0] += 1
                _last[1] = 0
            ms = _last[0]
        else:
            _last[0] = ms
            _last[1] = secrets.randbits(11)
        counter = _last[1]
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    h = f"{(ms << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail:032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of a UUID in lower case; anything else cannot name a row."""
    return (
        len(text) == 36
        and text[8] == text[13] == text[18] == text[23] == "-"
        and all(c in "0123456789abcdef-" for c in text)
        and text.count("-") == 4
    )


def short_code(length: int) -> str:
    """A random code people read aloud; 30 letters, so 8 of them are 39 bits."""
    return "".join(secrets.choice(PEOPLE) for _ in range(length))


def derive(key: bytes, *parts: object) -> bytes:
    """HMAC-SHA256 of the parts joined by `|`."""
    return hmac.new(key, "|".join(str(p) for p in parts).encode(), hashlib.sha256).digest()


def crockford(raw: bytes, length: int = TOKEN_LENGTH) -> str:
    """The first `length` Crockford characters (5 bits each) of `raw`."""
    number = int.from_bytes(raw, "big")
    bits = len(raw) * 8
    return "".join(CROCKFORD[(number >> (bits - 5 * (i + 1))) & 31] for i in range(length))


def digits(raw: bytes, length: int = PIN_LENGTH) -> str:
    """`length` decimal digits of `raw`, leading zeros kept."""
    return str(int.from_bytes(raw[:16], "big") % 10**length).zfill(length)


def sha256(text: str) -> str:
    """Hex digest, for secrets of at least 128 bits that are looked up by their hash."""
    return hashlib.sha256(text.encode()).hexdigest()
