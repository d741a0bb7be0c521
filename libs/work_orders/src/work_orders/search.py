"""What lists and counts of orders are narrowed to, as conditions of a query."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Select, Text, any_, bindparam, func, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import MOMENT
from contracts.lifecycle import Status
from work_orders.tables import WORK_ORDERS

_C = WORK_ORDERS.c


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to; None does not narrow. `areas` is the caller's scope.

    A time `…_from` is part of what is searched, `…_until` is not.
    """

    statuses: Sequence[Status]
    areas: Sequence[str] | None = None
    work_area_id: str | None = None
    subscriber_nos: Sequence[str] | None = None
    order_no: str | None = None
    external_reference: str | None = None
    device_type: str | None = None
    demand_type: str | None = None
    facets: Mapping[str, Any] = field(default_factory=dict)
    """Those of `work_orders.facets` that an order has to have."""
    created_from: datetime | None = None
    created_until: datetime | None = None
    changed_from: datetime | None = None
    changed_until: datetime | None = None
    appointment_from: datetime | None = None
    appointment_until: datetime | None = None
    limit_from: datetime | None = None
    limit_until: datetime | None = None
    """When the next limit is over."""
    text: str | None = None
    """A part of the order number, the subscriber number or the external reference, in any case."""

    def values(self) -> dict[str, Any]:
        """What it is narrowed to besides the statuses."""
        facets = dict(self.facets)
        if self.appointment_from or self.appointment_until:
            facets["has_appointment"] = True
        given = {name: value for name in _CONDITIONS if (value := getattr(self, name)) is not None}
        given.pop("facets")
        if facets:
            given["facets"] = msgspec.json.encode(facets).decode()
        if self.text is not None:
            given["text"] = self.text.lower()
        return given


Condition = Callable[[str], ColumnElement[bool]]


def _equals(name: str) -> ColumnElement[bool]:
    return _C[name] == bindparam(name)


def _one_of(column: str) -> Condition:
    return lambda name: _C[column] == any_(bindparam(name, type_=ARRAY(Text)))


def _from(column: str) -> Condition:
    return lambda name: _C[column] >= bindparam(name, type_=MOMENT)


def _until(column: str) -> Condition:
    return lambda name: _C[column] < bindparam(name, type_=MOMENT)


def _facets(name: str) -> ColumnElement[bool]:
    return _C.facets.contains(bindparam(name, type_=JSONB))


def _text(name: str) -> ColumnElement[bool]:
    sought = bindparam(name, type_=Text)
    columns = (_C.order_no, _C.subscriber_no, _C.external_reference)
    return or_(*(func.strpos(func.lower(column), sought) > literal_column("0") for column in columns))


_CONDITIONS: Mapping[str, Condition] = {
    "areas": _one_of("work_area_id"),
    "work_area_id": _equals,
    "subscriber_nos": _one_of("subscriber_no"),
    "order_no": _equals,
    "external_reference": _equals,
    "device_type": _equals,
    "demand_type": _equals,
    "facets": _facets,
    "created_from": _from("created_at"),
    "created_until": _until("created_at"),
    "changed_from": _from("changed_at"),
    "changed_until": _until("changed_at"),
    # Of an order with an appointment `due_at` is its beginning.
    "appointment_from": _from("due_at"),
    "appointment_until": _until("due_at"),
    "limit_from": _from("next_due_at"),
    "limit_until": _until("next_due_at"),
    "text": _text,
}


def narrowed(query: Select[Any], statuses: Sequence[Status], names: Sequence[str]) -> Select[Any]:
    """The query with a condition for each name, whose value is a parameter of that name.

    Statuses stand in its text, so that PostgreSQL finds the list's partial index.
    """
    if statuses:
        query = query.where(_C.status.in_([literal_column(f"'{status.value}'") for status in statuses]))
    for name in names:
        query = query.where(_CONDITIONS[name](name))
    return query
