"""The minutes of 100,000 orders: whatever happens to them and whenever it is told, none is lost between holders."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from services.reporting.tests.world import MAKE

from contracts import events as e
from contracts.lifecycle import CUSTODIANS, Act, Service, Status, allowed_acts, step
from contracts.message import Actor, Message
from contracts.order import apply
from linework.recount.holders import Minutes
from reporting.projections.holders import HeldPart
from reporting.projections.orders import Projected
from work_orders.testing_streams import make_created

ORDERS = 100_000
RECOUNTED = 3_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_ACTOR = Actor("a", "agent")
_MICROSECOND = timedelta(microseconds=1)
_PARTS = msgspec.json.Decoder(list[HeldPart])
_STRAIGHT_ON = (Act.DISPATCH, Act.START, Act.COMPLETE, Act.ARCHIVE, Act.SEND_TO_REDISPATCH, Act.RESUME)


def bodies(chance: random.Random, created_at: datetime) -> Iterator[tuple[Service, e.WorkOrderEvent]]:
    """Anything allowed, until the order has ended or nobody acts on it any more; by its custodian."""
    start = created_at + timedelta(microseconds=chance.randint(-(10**9), 10**11))
    wanted = e.Appointment(start=start, end=start + timedelta(hours=1))
    yield Service.INTAKE, make_created(appointment=chance.choice([None, wanted]))
    status, is_suspended = Status.CREATED, False
    for _ in range(chance.randint(3, 16)):
        acts = [act for act in allowed_acts(status, is_suspended=is_suspended) if act in MAKE]
        if not acts:
            return
        likely = [act for act in acts if act in _STRAIGHT_ON]
        act = chance.choice(likely if likely and chance.random() < 0.7 else acts)
        custodian = CUSTODIANS[status]
        assert custodian is not None
        yield custodian, MAKE[act](chance)
        status = step(status, act, is_suspended=is_suspended)
        is_suspended = act is Act.SUSPEND or (is_suspended and act not in (Act.RESUME, Act.CANCEL))


def stream_of(number: int) -> list[Message]:
    """An order's events, some dated back, some told a day late; without chain and JSON, which nothing here reads."""
    chance = random.Random(number)
    at = recorded_at = BEGIN + timedelta(microseconds=chance.randint(0, 10**12))
    messages = []
    for version, (service, body) in enumerate(bodies(chance, at), start=1):
        recorded_at = max(recorded_at, at + timedelta(microseconds=chance.choice([0, 10**6, 86_400 * 10**6])))
        messages.append(
            Message(
                id=f"{number}:{version}",
                type="",
                source=f"/linework/{service.value}",
                subject=f"o-{number}",
                occurred_at=at,
                recorded_at=recorded_at,
                actor=_ACTOR,
                data=b"{}",
                body=body,
                order_version=version,
            )
        )
        at += timedelta(microseconds=chance.choice([-7_000_001, 0, 1, chance.randint(0, 10**10)]))
    return messages


def minutes_of(messages: list[Message]) -> tuple[int, list[tuple[str, str, int]]]:
    """How long the order was in statuses that it has left, and what each holder had of that, in their order."""
    projected = Projected(timedelta(minutes=5))
    projected.take(messages)
    ended = [stay for stay in projected.added if stay.left_at is not None]
    elapsed = (ended[-1].left_at - ended[0].entered_at) // _MICROSECOND if ended else 0
    return elapsed, [
        (part.holder, part.reason, part.microseconds or 0) for stay in ended for part in _PARTS.decode(stay.held)
    ]


@pytest.mark.timeout(600)
def test_the_minutes_of_all_holders_are_the_elapsed_time_to_the_microsecond() -> None:
    difference, parts, holders = 0, 0, set[str]()
    for number in range(ORDERS):
        elapsed, held = minutes_of(stream_of(number))
        difference += abs(elapsed - sum(microseconds for _, _, microseconds in held))
        assert all(microseconds > 0 for _, _, microseconds in held)
        parts += len(held)
        holders |= {holder for holder, _, _ in held}
    assert (difference, holders) == (0, {"dispatch", "area", "staff", "qa", "subscriber", "house"})
    assert parts > ORDERS


def test_another_hand_gives_each_part_to_the_same_holder() -> None:
    for number in range(RECOUNTED):
        messages = stream_of(number)
        minutes, order = Minutes(), None
        for told in messages:
            before, order = order, apply(order, told)
            minutes.take(before, told, order)
        recounted = [(row.names["holder"], row.names["reason"], row.above) for row in minutes.rows()]
        assert recounted == minutes_of(messages)[1], number
