"""Applies the operators' repairs of parked records to the stream, as the services did.

A bad record stays in its topic for ever. If it was repaired, each service that had parked it applied the repair
instead; if it was discarded, no service applied it. Both are requested from the services, which must agree.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.codec import MalformedMessage, decode
from contracts.message import Message
from contracts.topics import CALLS, DEADLINES, QUALITY, WORK_ORDERS
from linework.client import OPERATOR, ServiceClients
from linework.verify.laws import Findings, Law

Place = tuple[str, int, int]
"""Topic, partition, offset."""
Row = Mapping[str, Any]
_TOPICS = {topic.name: topic for topic in (WORK_ORDERS, CALLS, DEADLINES, QUALITY)}


@dataclass(slots=True)
class Repairs:
    by_place: dict[Place, Message] = field(default_factory=dict)
    discarded: set[Place] = field(default_factory=set)


async def repairs_of(city: ServiceClients, findings: Findings) -> Repairs:
    """What was repaired or discarded; reports services that did different things with one record."""
    settled: dict[Place, dict[str, Row]] = {}
    for name in city.services:
        async for row in _settled_at(city, name):
            if row["topic"] in _TOPICS:
                settled.setdefault((row["topic"], row["partition"], row["offset"]), {})[name] = row
    repairs = Repairs()
    for place, rows in sorted(settled.items()):
        take(place, rows, repairs, findings)
    return repairs


async def _settled_at(city: ServiceClients, name: str) -> AsyncIterator[Row]:
    service = city.services[name]
    async for row in service.parked(state="any"):
        if row["state"] != "parked":
            # A list cuts what is long, and a repair counts whole.
            yield await service.read(f"/v1/parked/{row['id']}", by=OPERATOR) if row["repaired"] else row


def take(place: Place, rows: Mapping[str, Row], repairs: Repairs, findings: Findings) -> None:
    """Notes what the services, by name, did with the record in this place."""
    done = {_what_was_done(row) for row in rows.values()}
    if len(done) > 1:
        where = f"{place[0]}, partition {place[1]}, offset {place[2]}"
        findings.add(Law.PARKED, ", ".join(sorted(rows)), f"{where} was not settled alike everywhere")
    elif done == {"discarded"}:
        repairs.discarded.add(place)
    elif done != {"released"} and (message := _message(place[0], next(iter(rows.values())))) is not None:
        repairs.by_place[place] = message


def _what_was_done(row: Row) -> str:
    """Equal texts for equal actions; a record that was released unchanged is as in the stream."""
    if row["state"] == "discarded" or not row["repaired"]:
        return row["state"]
    return f"{row['repaired']['value']} {sorted(row['repaired']['headers'].items())}"


def _message(topic: str, row: Row) -> Message | None:
    """The repaired message; None when even the repair is none."""
    headers = row["repaired"]["headers"]
    pairs = [(name, text.encode()) for name, text in headers.items()]
    key = headers.get("ce_subject", "").encode()
    try:
        return decode(key, row["repaired"]["value"].encode(), pairs, topic=_TOPICS[topic])
    except MalformedMessage:
        return None
