"""A year's work orders and follow-ups, as their services publish them: what a utility with a hundred work areas does.

The same from the same seed. Most orders go the basic flow; some are sent back and dispatched again, cancelled, or
archived without an audit, and of every fourth the subscriber is asked how content they are.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from benchmarks.call_centre import BEGIN, moments
from chassis.parking import RawRecord
from contracts import events as e
from contracts import quality as q
from contracts.chain import event_hash
from contracts.codec import encode, new_message
from contracts.lifecycle import Service
from contracts.limits import SHIPPED, SUBJECT
from contracts.message import Actor, Message
from contracts.topics import DEADLINES, QUALITY, WORK_ORDERS, Topic

_AREAS, _STAFF_OF_AN_AREA, _SUBSCRIBERS = 100, 12, 200_000
_DEMANDS = ("fault_repair", "fault_repair", "business_acceptance", "complaint", "consultation")
_CHANNELS = (e.Channel.PHONE, e.Channel.PHONE, e.Channel.PHONE, e.Channel.WEB, e.Channel.APP)
_CONTENT = "sealed:1:" + "0" * 120
_RECORDED_AFTER = timedelta(milliseconds=20)

Step = tuple[float, Service, Any]


@dataclass(frozen=True, slots=True)
class Orders:
    count: int
    days: int = 365
    seed: int = 1

    def records(self) -> Iterator[RawRecord]:
        """Of `work-orders`, in the order of time."""
        for offset, message in enumerate(self._in_order()):
            yield _record(message, WORK_ORDERS, offset)

    def follow_up_records(self) -> Iterator[RawRecord]:
        """Of `quality`: of every fourth order, a day after it was created, whether it is completed by then or not."""
        for number, order_id, at, _ in self._begun():
            if number % 4 == 0:
                for message in _follow_up(order_id, at + 86_400, random.Random(order_id)):
                    yield _record(message, QUALITY, number)

    def _begun(self) -> Iterator[tuple[int, str, float, random.Random]]:
        chance = random.Random(self.seed)
        number = 0
        for day in range(self.days):
            until = round(self.count * (day + 1) / self.days)
            for at in moments(day, until - number, chance):
                yield number, str(uuid.UUID(int=chance.getrandbits(128), version=4)), at, random.Random(number)
                number += 1

    def _in_order(self) -> Iterator[Message]:
        waiting: list[tuple[float, str, int, Any]] = []
        for number, order_id, at, chance in self._begun():
            while waiting and waiting[0][0] <= at:
                yield heappop(waiting)[3]
            for version, message in enumerate(_messages(order_id, at, _life(number, chance)), start=1):
                heappush(waiting, (_seconds(message.occurred_at), order_id, version, message))
        while waiting:
            yield heappop(waiting)[3]


def limits_records() -> Iterator[RawRecord]:
    """Of `deadlines`: the limits that are shipped, from the beginning."""
    yield _record(_message(SHIPPED, Service.DISPATCH, SUBJECT, BEGIN, entity_version=1), DEADLINES, 0)


def _life(number: int, chance: random.Random) -> Iterator[Step]:
    """What happens to an order, each so many seconds after the one before."""
    area, demand = chance.randrange(_AREAS), chance.choice(_DEMANDS)
    yield 0.0, Service.INTAKE, _created(number, demand, chance)
    if chance.random() < 0.03:
        yield 600.0, Service.DISPATCH, e.WorkOrderCancelled(request_id=f"cancel-{number}", reason=_CONTENT)
        return
    yield chance.expovariate(1 / 600), Service.DISPATCH, _dispatched(area, chance)
    if chance.random() < 0.06:
        reason = e.RejectionReason.OUTSIDE_AREA
        yield 1800.0, Service.FIELDWORK, e.WorkOrderRejected(reason=reason, explanation=_CONTENT)
        is_valid = chance.random() < 0.7
        yield 900.0, Service.DISPATCH, e.WorkOrderRedispatchRequested(is_misdispatch_valid=is_valid, remark=_CONTENT)
        yield 300.0, Service.DISPATCH, _dispatched((area + 1) % _AREAS, chance)
    yield chance.expovariate(1 / 1800), Service.FIELDWORK, e.WorkOrderArrived()
    yield 60.0, Service.FIELDWORK, e.WorkOrderStarted()
    yield chance.lognormvariate(8, 0.8), Service.FIELDWORK, _completed(area, chance)
    if chance.random() < 0.6:
        yield chance.expovariate(1 / 14_400), Service.QA, e.WorkOrderAuditRequested()
        yield 300.0, Service.QA, e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark=_CONTENT)
    yield chance.expovariate(1 / 3600), Service.QA, e.WorkOrderArchived()


def _created(number: int, demand: str, chance: random.Random) -> e.WorkOrderCreated:
    subscriber = chance.randrange(_SUBSCRIBERS)
    return e.WorkOrderCreated(
        order_no=f"{number:012}",
        subscriber_id=f"s{subscriber}",
        subscriber_no=f"{subscriber}",
        device_type=chance.choice(("digital", "analogue")),
        demand_type=demand,
        content=_CONTENT,
        channel=chance.choice(_CHANNELS),
        zone=chance.choice(tuple(e.Zone)),
        territory=f"territory-{chance.randrange(_AREAS)}",
    )


def _dispatched(area: int, chance: random.Random) -> e.WorkOrderDispatched:
    staff = f"staff-{area}-{chance.randrange(_STAFF_OF_AN_AREA)}"
    return e.WorkOrderDispatched(work_area_id=f"area-{area}", staff_ids=(staff,))


def _completed(area: int, chance: random.Random) -> e.WorkOrderCompleted:
    return e.WorkOrderCompleted(
        staff_ids=(f"staff-{area}-0",),
        handling=_CONTENT,
        is_resolved=chance.random() < 0.9,
        is_petitioned=False,
        is_called_back=False,
    )


def _messages(order_id: str, at: float, life: Iterator[Step]) -> Iterator[Message]:
    previous = None
    for version, (later, service, body) in enumerate(life, start=1):
        at += later
        message = _message(body, service, order_id, _moment(at), order_version=version, prev_hash=previous)
        previous = event_hash(message)
        yield message


def _follow_up(order_id: str, at: float, chance: random.Random) -> Iterator[Message]:
    about = {"work_area_id": f"area-{chance.randrange(_AREAS)}", "demand_type": "complaint"}
    of = {"follow_up_id": f"f-{order_id}", "project_id": "after-completion"}
    planned = q.FollowUpPlanned(
        **of,
        cause=q.FollowUpCause.COMPLETION,
        subscriber_no="1",
        due_by=_moment(at + 5 * 86_400),
        order_ids=(order_id,),
        **about,
    )
    yield _message(planned, Service.QA, order_id, _moment(at))
    if chance.random() < 0.7:
        given = q.SatisfactionGiven(**of, score=chance.randint(1, 5), highest=5, order_ids=(order_id,), **about)
        yield _message(given, Service.QA, order_id, _moment(at + 3600))
        ended = q.FollowUpEnded(
            **of,
            end=q.FollowUpEnd.COMPLETED,
            caller_id="auditor-1",
            attempt_count=1,
            questionnaire_id="satisfaction",
            questionnaire_version=1,
            order_ids=(order_id,),
        )
        yield _message(ended, Service.QA, order_id, _moment(at + 3600))


def _message(body: Any, service: Service, subject: str, at: datetime, **places: Any) -> Message:
    actor = Actor(service.value, "operator")
    recorded_at = at + _RECORDED_AFTER
    return new_message(
        body, service=service, subject=subject, actor=actor, occurred_at=at, recorded_at=recorded_at, **places
    )


def _record(message: Message, topic: Topic, offset: int) -> RawRecord:
    key, value, headers = encode(message)
    return RawRecord(topic.name, 0, offset, key, value, tuple(headers))


def _moment(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def _seconds(moment: datetime) -> float:
    return (moment - BEGIN).total_seconds()
