"""Three custodians, one stream, every delay and repetition that at-least-once delivery allows.

Each run is a seed: services act, publish and read in an order that it draws. Publishing may happen twice,
as when a relay dies between sending and deleting; reading may go back, as when a batch comes again.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random

import pytest

from chassis.testing import FixedClock
from contracts import events as e
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.lifecycle import Act, Service
from contracts.message import Actor, Message
from contracts.order import apply
from contracts.requests import (
    WorkOrderAmendRequested,
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRequestRefused,
    WorkOrderUrgeRequested,
)
from work_orders import replica
from work_orders.order_table import StoredOrder
from work_orders.replica import Replica
from work_orders.request_handling import RequestState
from work_orders.sla_clocks import RuleSets
from work_orders.testing import BEGIN, make_completed, make_created, make_dispatched, make_rejected

ORDER = "o-1"
STEPS = 200
LONG_LIFE = 8
CHANCES = {"read": 40, "publish": 25, "act": 25, "ask": 6, "publish again": 2, "read again": 2}
CUSTODIANS = (Service.DISPATCH, Service.FIELDWORK, Service.QA)
EVENTS = {
    Act.DISPATCH: make_dispatched,
    Act.START: e.WorkOrderStarted,
    Act.REJECT: make_rejected,
    Act.SEND_TO_REDISPATCH: e.WorkOrderRedispatchRequested,
    Act.COMPLETE: make_completed,
    Act.SUBMIT_FOR_AUDIT: e.WorkOrderAuditRequested,
    Act.PASS_AUDIT: lambda: e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="x"),
    Act.FAIL_AUDIT: lambda: e.WorkOrderAudited(verdict=e.AuditVerdict.FAILED, remark="x"),
    Act.REDISPATCH: lambda: e.WorkOrderRedispatchRequested(reason="x"),
    Act.ARCHIVE: e.WorkOrderArchived,
    Act.SUSPEND: lambda: e.WorkOrderSuspended(reason="x", until=BEGIN.replace(year=2030)),
    Act.RESUME: e.WorkOrderResumed,
}


@dataclass
class Station:
    """One service: what it keeps, what waits in its outbox, and how far it has published and read."""

    service: Service
    stored: dict[str, StoredOrder] = field(default_factory=dict)
    seen: dict[str, RequestState] = field(default_factory=dict)
    outbox: list[Message] = field(default_factory=list)
    published: int = 0
    position: int = 0
    is_catching_up: bool = False

    @property
    def holds_the_order(self) -> bool:
        return ORDER in self.stored and self.stored[ORDER].order.custodian is self.service

    async def read(self, stream: list[Message], count: int) -> None:
        batch = stream[self.position : self.position + count]
        self.position += len(batch)
        known = replica._Batch(self.stored, self.seen, RuleSets())
        Replica(self.service, FixedClock(BEGIN)).take(batch, known)
        self.outbox += known.to_send

    def publish(self, stream: list[Message]) -> None:
        stream.append(self.outbox[self.published])
        self.published += 1

    def act(self, random: Random) -> None:
        stored = self.stored[ORDER]
        acts = [act for act in stored.order.allowed_acts if act in EVENTS]
        if Act.ARCHIVE in acts:
            # Not before it has lived, and then soon.
            acts = [act for act in acts if (act is Act.ARCHIVE) is (stored.order.version > LONG_LIFE)]
        message = _event(EVENTS[random.choice(acts)](), self.service, stored)
        order = apply(stored.order, message)
        self.stored[ORDER] = StoredOrder(order, stored.stream_version, event_hash(message))
        self.outbox.append(message)


def _event(body: e.WorkOrderEvent, service: Service, stored: StoredOrder | None) -> Message:
    return new_message(
        body,
        service=service,
        subject=ORDER,
        actor=Actor("somebody", "agent"),
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        order_version=stored.order.version + 1 if stored else 1,
        prev_hash=stored.last_hash if stored else None,
    )


def _request(number: int, *, is_cancel: bool) -> Message:
    said = {"request_id": f"r-{number}", "reason": "x"}
    kinds = (
        lambda: WorkOrderUrgeRequested(**said),
        # Each of the first is granted; together they soon are too long, or the order has been completed.
        lambda: WorkOrderExtensionRequested(**said, clock=e.SlaClock.ARRIVE, minutes=400),
        # Who has not seen the last amendment is refused.
        lambda: WorkOrderAmendRequested(**said, seen_version=1 + number // 3, device_type=f"device-{number}"),
    )
    return new_message(
        WorkOrderCancelRequested(**said) if is_cancel else kinds[number % 3](),
        service=Service.INTAKE,
        subject=ORDER,
        actor=Actor("agent-1", "agent"),
        occurred_at=BEGIN,
        recorded_at=BEGIN,
    )


class Run:
    """One order's life under one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.stations = [Station(service) for service in CUSTODIANS]
        self.stream: list[Message] = [_event(make_created(), Service.INTAKE, None)]
        self.asked = 0
        self.cancels = seed % 2 == 0

    async def live(self) -> None:
        for _ in range(STEPS):
            await self._step(self.random.choice(self.stations))
        while any(self._has_work(station) for station in self.stations):
            for station in self.stations:
                while station.published < len(station.outbox):
                    station.publish(self.stream)
                await station.read(self.stream, len(self.stream))

    def _has_work(self, station: Station) -> bool:
        return station.published < len(station.outbox) or station.position < len(self.stream)

    async def _step(self, station: Station) -> None:
        match self.random.choices(list(CHANCES), weights=list(CHANCES.values()))[0]:
            case "read":
                await station.read(self.stream, self.random.randint(1, 4))
            case "publish" if station.published < len(station.outbox):
                station.publish(self.stream)
            case "act" if station.holds_the_order:
                station.act(self.random)
            case "ask":
                self.stream.append(_request(self.asked, is_cancel=self.cancels and self.asked % 6 == 5))
                self.asked += 1
            case "publish again":
                # The relay died before it deleted what it had sent: the last rows go out again, in order.
                station.published = max(0, station.published - self.random.randint(1, 3))
            case "read again":
                station.position = max(0, station.position - self.random.randint(1, 5))


_GRANTS = e.WorkOrderCancelled | e.WorkOrderUrged | e.WorkOrderExtended | e.WorkOrderAmended


def _answers(stream: list[Message]) -> dict[str, dict[str, Message]]:
    """The answers to each request by message id: a message that was published twice is one answer."""
    found: dict[str, dict[str, Message]] = defaultdict(dict)
    for message in stream:
        if isinstance(message.body, WorkOrderRequestRefused | _GRANTS):
            found[message.body.request_id][message.id] = message
    return found


SEEDS = [range(start, start + 25) for start in range(0, 100, 25)]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
async def test_every_request_gets_exactly_one_answer(seeds: range) -> None:
    for seed in seeds:
        run = Run(seed)
        await run.live()
        answers = _answers(run.stream)
        counts = {f"r-{number}": len(answers.get(f"r-{number}", {})) for number in range(run.asked)}
        assert set(counts.values()) <= {1}, f"seed {seed}: {counts}"


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
async def test_everybody_ends_with_the_same_order_and_its_versions_have_no_gaps(seeds: range) -> None:
    for seed in seeds:
        run = Run(seed)
        await run.live()
        versions = {message.order_version: message.id for message in run.stream if message.order_version}
        ends = [station.stored[ORDER] for station in run.stations]
        assert ends[0] == ends[1] == ends[2], f"seed {seed}"
        assert sorted(versions) == list(range(1, ends[0].order.version + 1)), f"seed {seed}"
        ids = {message.id for message in run.stream if message.order_version}
        assert len(ids) == len(versions), f"seed {seed}: two events have the same version"


async def test_the_runs_reach_what_they_are_about() -> None:
    """Hand-overs with requests in front of them, closed orders, grants and refusals: all of it happens."""
    reached: Counter[str] = Counter()
    for seed in range(50):
        run = Run(seed)
        await run.live()
        reached[run.stations[0].stored[ORDER].order.status] += 1
        reached.update(message.type.split(".")[-2] for message in run.stream)
        reached.update(f"hop {message.body.hop}" for message in run.stream if getattr(message.body, "hop", 0))
    assert {"cancelled", "urged", "extended", "request_refused", "archived", "hop 1", "hop 2"} <= reached.keys(), (
        reached
    )
