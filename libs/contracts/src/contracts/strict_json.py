"""JSON from outside: UTF-8 without a byte order mark, and each key of an object once (RFC 8259 §4 and §8.1).

Readers disagree about which of two equal keys counts, and about UTF-16. What one of them checks, another would act on.
Our own events never have either, and what is stored already is read as it is: this is for what comes from outside.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class NotUtf8(ValueError):
    """The text is not UTF-8, begins with a byte order mark, or has a NUL byte, as UTF-16 and UTF-32 do."""


class DuplicateKey(ValueError):
    """An object has a key more than once."""

    def __init__(self, pointer: str) -> None:
        super().__init__(f"{pointer} is given more than once")
        self.pointer = pointer
        """JSON pointer (RFC 6901) of the member that is given again."""


class NotJson(ValueError):
    """The text is no JSON."""


class TooDeep(ValueError):
    """The text is nested so deep that its keys cannot be compared."""


class _WithDuplicate(dict[str, Any]):
    __slots__ = ("key",)
    key: str


def check(raw: bytes) -> None:
    """Raises `NotUtf8`, `DuplicateKey` or `TooDeep`; accepts text that is not JSON, which its reader refuses."""
    with contextlib.suppress(NotJson):
        # Python makes no integer of more than 4,300 digits; other readers pass over it, and keys count all the same.
        _value_of(raw, parse_int=len)


def value_of(raw: bytes) -> Any:
    """The value of a JSON text; raises `NotUtf8`, `DuplicateKey`, `TooDeep` or `NotJson`."""
    return _value_of(raw, parse_int=int)


def _value_of(raw: bytes, parse_int: Callable[[str], int]) -> Any:
    if raw.startswith(_BYTE_ORDER_MARKS) or b"\x00" in raw:
        raise NotUtf8("a byte order mark or a NUL byte")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(f"byte {error.start} is not UTF-8") from error
    has_duplicate = False

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_duplicate
        if len(pairs) < 2:
            return dict(pairs)
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        has_duplicate = True
        marked = _WithDuplicate(found)
        marked.key = _first_duplicate(pairs)
        return marked

    try:
        value = json.loads(text, object_pairs_hook=collect, parse_int=parse_int)
    except RecursionError as error:
        raise TooDeep("it is nested too deep") from error
    except ValueError as error:
        raise NotJson("it is not JSON") from error
    if has_duplicate:
        raise DuplicateKey(_pointer_to_duplicate(value))
    return value


def _first_duplicate(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def _pointer_to_duplicate(value: Any) -> str:
    """The first place in document order, of those that are left: a key that is given twice hides its first value."""
    path: list[str] = []
    waiting: list[Iterator[tuple[Any, Any]]] = [iter([("", value)])]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            path[len(waiting) :] = []
            continue
        name, member = found
        path[len(waiting) - 1 :] = [name]
        if isinstance(member, _WithDuplicate):
            return "".join(f"/{_escaped(str(step))}" for step in [*path[1:], member.key])
        if isinstance(member, dict | list):
            waiting.append(iter(member.items() if isinstance(member, dict) else enumerate(member)))
    return ""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
