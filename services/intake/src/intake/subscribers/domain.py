"""Subscribers and their masking: other roles see enough to recognise a subscriber, not enough to reach them."""

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from contracts.lifecycle import Status
from contracts.plain_text import plain_reference
from contracts.refusals import Conflict, Invalid, NotFound, Stale


class SubscriberNoTaken(Conflict):
    """Subscriber number {subscriber_no} belongs to another subscriber."""

    zh = "用户证号 {subscriber_no} 已被使用。"


class SubscriberIdNotFound(NotFound):
    """There is no subscriber with id {subscriber_id}."""

    zh = "没有编号为 {subscriber_id} 的用户。"


class SubscriberChanged(Stale):
    """The subscriber is at version {present_version}; the request is based on version {expected_version}."""

    zh = "用户资料当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class SubscriberNotFound(NotFound):
    """There is no subscriber {subscriber_no}."""

    zh = "没有用户证号为 {subscriber_no} 的用户。"


class KindReserved(Invalid):
    """The kinds of a place and of an anonymous caller are for callers without a number, who are registered at
    /v1/callers and keep their kind."""

    zh = "“地点或物件”和“匿名”两个类别仅用于无用户证号的来电人；他们在 /v1/callers 登记，类别不再更改。"


class PlaceMissing(Invalid):
    """A place or thing needs an address: say where it is."""

    zh = "登记地点或物件时须填写其所在地址。"


class NotACaller(Conflict):
    """Subscriber {subscriber_no} has a number of their own; only a caller without one can be tied to a subscriber."""

    zh = "用户 {subscriber_no} 有自己的用户证号；只有无用户证号的来电人才能归属到用户。"


PLACE, ANONYMOUS = "place", "anonymous"
CALLER_KINDS: Mapping[str, str] = {PLACE: "P", ANONYMOUS: "A"}
"""The kinds of callers without a number 无证号来电人, and what their generated numbers begin with: of an order for a
place or a thing, and of an anonymous report 匿名举报."""


def generated_number(kind: str, subscriber_id: str) -> str:
    """A number that no meter and no contract has, such as P-9F3A2C1B07."""
    return f"{CALLER_KINDS[kind]}-{subscriber_id.replace('-', '')[-10:].upper()}"


def check_caller(kind: str, address: str) -> None:
    if kind == PLACE and not address:
        raise PlaceMissing()


def check_kind(kind: str, *, present: str | None = None) -> None:
    """Raises `KindReserved` where somebody with a number would become a caller without one, or the reverse."""
    if kind != present and (kind in CALLER_KINDS or present in CALLER_KINDS):
        raise KindReserved()


_HIDDEN = "*"
_SEES_ALL = frozenset({"agent", "supervisor"})
_SEES_ADDRESS = frozenset({"dispatcher"})
SEES_NUMBERS = _SEES_ALL
"""Who sees a caller's number whole."""
_SEES: Mapping[str, AbstractSet[str]] = {
    "name": _SEES_ALL,
    "phone": SEES_NUMBERS,
    "address": _SEES_ALL | _SEES_ADDRESS,
    "notes": _SEES_ALL,
}
"""By search field: the roles that see its value whole. Every role sees the other fields."""
_WITHOUT_SEPARATORS = str.maketrans(dict.fromkeys(" \u00a0-().", ""))
_NUMBER = re.compile(r"\+?[0-9]+")
_SHORTEST_ABROAD = 10
"""Digits of the shortest number that is dialled with 00: shorter ones are inside numbers, such as 001."""
IN_THE_FIELD = (Status.DISPATCHED, Status.PROCESSING)
"""While an order is with the people who visit, they see its subscriber whole."""


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
    if roles & _SEES_ALL or ("technician" in roles and visiting_status in IN_THE_FIELD):
        return subscriber
    masked = replace(
        subscriber,
        name=mask_name(subscriber.name),
        phones=tuple(mask_phone(phone) for phone in subscriber.phones),
        notes="",
        is_masked=True,
    )
    return masked if roles & _SEES_ADDRESS else replace(masked, address=mask_address(subscriber.address))


def not_searchable(fields: Mapping[str, str | None], roles: AbstractSet[str]) -> list[str]:
    """Those of the search fields that are given and that these roles see masked.

    A search by a masked value would find it out, letter by letter or digit by digit, and leave no record. So it
    finds nothing, whatever is searched for; revealing is the act that shows the value.
    """
    return [name for name, value in fields.items() if value is not None and name in _SEES and not roles & _SEES[name]]


def searched_by_phone(
    statuses: Collection[Status], roles: AbstractSet[str], *, is_within_areas: bool
) -> Collection[Status] | None:
    """The statuses, of those asked for, in which orders are looked up by phone; empty for any, None for none at all.

    A technician looks up what they see: orders of their areas while the work is with them.
    """
    if roles & SEES_NUMBERS:
        return statuses
    if "technician" not in roles or not is_within_areas:
        return None
    return tuple(status for status in IN_THE_FIELD if not statuses or status in statuses) or None


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
    """Digits with an optional plus: as a number is stored and searched; what is no number, as a SIP address, stays.

    Switches and people write one number in many ways: (021) 6123-4567, 021 61234567, 00862161234567.
    """
    phone = plain_reference(phone)
    plain = phone.translate(_WITHOUT_SEPARATORS)
    if not _NUMBER.fullmatch(plain):
        return phone
    return "+" + plain[2:] if plain.startswith("00") and len(plain) > _SHORTEST_ABROAD else plain
