"""Compares a service's order with the fold, field by field over the whole JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from contracts.order import WorkOrder

_MOST_SHOWN = 5
_SHOWN_BESIDE = ("clocks",)
"""What an answer adds to the order, which no event tells."""
_UNKNOWN_TO_EARLIER_FOLDS = ("decision", "first_dispatched_at", "first_started_at")
"""Null in the orders that have not changed, or were dispatched again, since before these fields were there."""


def difference(expected: WorkOrder | None, found: Mapping[str, Any] | None) -> str | None:
    """What is not the same, in words; None when all is. `found` is the service's JSON, None when it has no order."""
    if expected is None:
        return None if found is None else "is not in the stream"
    if found is None:
        return f"is missing; the stream has version {expected.version}, {expected.status.value}"
    wanted = msgspec.json.decode(msgspec.json.encode(expected))
    found = {name: value for name, value in found.items() if name not in _SHOWN_BESIDE}
    for name in _UNKNOWN_TO_EARLIER_FOLDS:
        if found.get(name) is None:
            wanted[name], found[name] = None, None
    if wanted == found:
        return None
    if wanted["version"] != found.get("version"):
        return f"is at version {found.get('version')}; the stream has version {wanted['version']}"
    different = list(_different("", wanted, found))
    more = f" and {len(different) - _MOST_SHOWN} more" if len(different) > _MOST_SHOWN else ""
    return "differs in " + "; ".join(different[:_MOST_SHOWN]) + more


def _different(path: str, wanted: Any, found: Any) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in sorted({*wanted, *found}):
            yield from _different(f"{path}.{name}".lstrip("."), wanted.get(name), found.get(name))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for place, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from _different(f"{path}[{place}]", left, right)
    elif wanted != found:
        yield f"{path}: {_shown(found)}, the stream gives {_shown(wanted)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
