"""Sealed texts: what people typed travels encrypted, so that destroying one key erases it everywhere.

A field of type `FreeText` holds text that was typed about a subscriber. Before its message is made, the
text is sealed under that subscriber's sealing key and takes this form, in the same field:

    sealed:1:<subscriber id>:<base64url, without padding, of nonce (12 bytes) and AES-256-GCM ciphertext with tag>

The associated data is `linework:1:<id of the order>`: a sealed text that is moved to another order does not
open. Shapes stay as they are, the chain of hashes covers what travels, and plain text of events that are
older than sealing is read as before. A reader without the key shows a substitute and still verifies the
whole timeline.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

_MARK = "free text"
FreeText = Annotated[str, _MARK]
"""Typed text. Every other text of a message is a code, a reference or a name of staff."""

SEALED = re.compile(r"sealed:1:([A-Za-z0-9._-]{1,64}):([A-Za-z0-9_-]{38,})")
"""A sealed text: the subscriber whose key opens it, and what was sealed."""

T = TypeVar("T")


class SealedText(StrEnum):
    """Why a sealed text is not shown."""

    ERASED = "erased"
    """The subscriber was erased; the text is unreadable for good."""
    NOT_HERE_YET = "not_here_yet"
    """The key is on its way to this service."""
    UNREADABLE = "unreadable"
    """The key here does not open it: a master key is missing, or the text was tampered with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKeyIssued:
    """A subscriber's key, or the same key wrapped again."""

    subscriber_id: str
    master_key_id: str
    """The master key that it is wrapped with."""
    wrapped: str
    """base64url, without padding, of nonce (12 bytes) and AES-256-GCM ciphertext with tag; the associated data is
    `linework:1:key:<subscriber id>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKeyDestroyed:
    """The subscriber was erased. It takes the key's place in the compacted topic, for good."""

    subscriber_id: str
    ground: str
    """A code, such as `subscriber_asked` or `retention_ended`."""


@cache
def free_texts(shape: type) -> tuple[str, ...]:
    """The names of the fields of a message's body that hold free text."""
    return tuple(name for name, hint in get_type_hints(shape, include_extras=True).items() if is_free_text(hint))


def is_free_text(hint: Any) -> bool:
    return hint is FreeText or any(map(is_free_text, get_args(hint)))


def texts_of(body: Any) -> dict[str, str]:
    """The free texts of a body, by field; without those that are left out or empty."""
    fields = free_texts(type(body))  # type: ignore[arg-type]  # mypy does not see that a class is hashable
    return {name: text for name in fields if (text := getattr(body, name))}


def with_texts(body: T, change: Callable[[str], str]) -> T:
    """The body with each free text changed."""
    texts = texts_of(body)
    return replace(body, **{name: change(text) for name, text in texts.items()}) if texts else body  # type: ignore[type-var]
