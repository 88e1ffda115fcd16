"""Keeping things unreadable in the database: personal data, stored replies; and keyed hashes to find them by.

Keys are derived from SECRET_KEY, which never enters the database. Each ciphertext names its key id, so that keys can
be rotated with an overlap.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

KID = 1


class Unreadable(RuntimeError):
    """The ciphertext was made with a key this process does not have."""


@lru_cache(maxsize=64)
def _derived(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"hitotsu/{purpose}".encode(), hashlib.sha256).digest()


@lru_cache(maxsize=64)
def _cipher(secret: str, purpose: str) -> AESGCM:
    return AESGCM(_derived(secret, purpose))


def key(purpose: str) -> bytes:
    """32 bytes for one purpose only (`pickup`, `cursor`, …)."""
    return _derived(current_app.config["SECRET_KEY"], purpose)


def seal(purpose: str, plain: bytes) -> bytes:
    """Encrypt; the same text twice gives different bytes."""
    nonce = os.urandom(12)
    return bytes([KID]) + nonce + _cipher(current_app.config["SECRET_KEY"], purpose).encrypt(nonce, plain, None)


def unseal(purpose: str, sealed: bytes) -> bytes:
    """Decrypt what `seal` made, or raise Unreadable."""
    raw = bytes(sealed)
    if not raw or raw[0] != KID:
        raise Unreadable
    try:
        return _cipher(current_app.config["SECRET_KEY"], purpose).decrypt(raw[1:13], raw[13:], None)
    except InvalidTag as error:
        raise Unreadable from error


def blind(purpose: str, value: str) -> str:
    """A keyed hash: equal values can be found, values cannot be read back or guessed without the key."""
    return hmac.new(key(purpose), value.encode(), hashlib.sha256).hexdigest()
