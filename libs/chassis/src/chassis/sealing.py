"""Sealing texts with AES-256-GCM: a key for each person, wrapped with a master key that never leaves the settings.

Only wrapped keys are stored and sent. Destroying the wrapped key makes all texts sealed with it unreadable, in every
copy. A text is bound to its associated data: it cannot be opened in another place.
"""

import os
import re
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class DoesNotOpen(Exception):
    """It was sealed with another key or for another place, or was changed since."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key that can be stored and sent: which master key it is wrapped with, and the base64url of the rest."""

    master_key_id: str
    text: str


class SealingKey:
    """Seals and opens texts. A key seals far fewer than the 2^32 texts that random nonces of 96 bits are good for."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, text: str, *, place: str) -> str:
        """base64url without padding of nonce, ciphertext and tag."""
        return _seal(self._cipher, text.encode(), place)

    def open(self, sealed: str, *, place: str) -> str:
        """The text; raises `DoesNotOpen`."""
        try:
            return _open(self._cipher, sealed, place).decode()
        except UnicodeDecodeError as error:
            raise DoesNotOpen from error


class MasterKeys:
    """The keys that wrap the others: the first wraps, each unwraps what was wrapped with it."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.ids = tuple(keys)
        self.current = self.ids[0]

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """From `id:base64 of 32 bytes`, several by comma; raises `ValueError`, which never holds a key."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            name, colon, encoded = part.strip().partition(":")
            # Without a colon it may be a bare key, which is not to be shown.
            if not colon or not _KEY_ID.fullmatch(name):
                raise ValueError("a master key is id:base64, and its id letters, digits, dot, dash and underscore")
            if name in keys:
                raise ValueError(f"master key {name} is given twice")
            keys[name] = _decoded(name, encoded)
        return cls(keys)

    def new_key(self, *, place: str) -> tuple[SealingKey, Wrapped]:
        key = os.urandom(_KEY_BYTES)
        return SealingKey(key), self._wrap(key, place)

    def unwrap(self, wrapped: Wrapped, *, place: str) -> SealingKey:
        """The key; raises `DoesNotOpen`, also when the master key is not among these."""
        return SealingKey(self._unwrap(wrapped, place))

    def wrap_anew(self, wrapped: Wrapped, *, place: str) -> Wrapped:
        """The same key under the current master key; raises `DoesNotOpen`."""
        return self._wrap(self._unwrap(wrapped, place), place)

    def _wrap(self, key: bytes, place: str) -> Wrapped:
        return Wrapped(self.current, _seal(self._ciphers[self.current], key, place))

    def _unwrap(self, wrapped: Wrapped, place: str) -> bytes:
        if wrapped.master_key_id not in self._ciphers:
            raise DoesNotOpen
        return _open(self._ciphers[wrapped.master_key_id], wrapped.text, place)


def _decoded(name: str, encoded: str) -> bytes:
    try:
        key = b64decode(encoded, altchars=b"-_" if "-" in encoded or "_" in encoded else None, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"master key {name} is not the base64 of {_KEY_BYTES} bytes")
    return key


def _seal(cipher: AESGCM, secret: bytes, place: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return urlsafe_b64encode(nonce + cipher.encrypt(nonce, secret, place.encode())).decode().rstrip("=")


def _open(cipher: AESGCM, sealed: str, place: str) -> bytes:
    try:
        raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise DoesNotOpen from error
