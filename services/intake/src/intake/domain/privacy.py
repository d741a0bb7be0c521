"""Who sees a subscriber whole. Everybody else sees enough to recognise, not enough to reach them."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from contracts.lifecycle import Status

_HIDDEN = "*"
_SEES_ALL = frozenset({"agent", "supervisor"})
_SEES_ADDRESS = frozenset({"dispatcher"})
SEES_NUMBERS = _SEES_ALL
"""Who sees a caller's number whole."""
_IN_THE_FIELD = (Status.DISPATCHED, Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class Subscriber:
    id: str
    version: int
    subscriber_no: str
    name: str
    phones: tuple[str, ...]
    address: str
    kind: str
    zone: str
    territory: str | None
    notes: str
    is_masked: bool = False


def as_seen_by(subscriber: Subscriber, roles: AbstractSet[str], *, visiting_status: Status | None = None) -> Subscriber:
    """The subscriber as a person with these roles sees them.

    `visiting_status` is given when a technician asks about an order of their own work area: while the work
    is with them they need name, phone and address, afterwards they do not.
    """
    if roles & _SEES_ALL or ("technician" in roles and visiting_status in _IN_THE_FIELD):
        return subscriber
    masked = replace(
        subscriber,
        name=mask_name(subscriber.name),
        phones=tuple(mask_phone(phone) for phone in subscriber.phones),
        notes="",
        is_masked=True,
    )
    return masked if roles & _SEES_ADDRESS else replace(masked, address=mask_address(subscriber.address))


def mask_name(name: str) -> str:
    """The first character, as in 王** or J***."""
    return name[:1] + _HIDDEN * max(len(name) - 1, 1) if name else ""


def mask_phone(phone: str) -> str:
    """The last two digits, as in *********42."""
    return _HIDDEN * max(len(phone) - 2, 0) + phone[-2:] if len(phone) > 4 else _HIDDEN * len(phone)


def mask_address(address: str) -> str:
    """The first quarter, at most six characters: the town or the street, not the door."""
    return address[: min(len(address) // 4, 6)] + _HIDDEN * 4 if address else ""


def plain_phone(phone: str) -> str:
    """Digits with an optional plus: as a number is stored and searched."""
    return phone[:1] + phone[1:].replace(" ", "").replace("-", "")
