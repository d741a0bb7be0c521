"""Streams of every kind, made up at random: whatever can happen to orders, calls and agents, and how it is told."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.reporting.tests.conftest import CallStream, LimitStream

from contracts import calls as c
from contracts import events as e
from contracts import quality as q
from contracts.calendar import Hours, WorkingTime
from contracts.codec import new_message
from contracts.holders import Holder
from contracts.lifecycle import Act, Service, allowed_acts
from contracts.limits import TimeLimit, TimeLimitsDefined
from contracts.message import Actor, Message
from work_orders.sla_clocks import EXTENDABLE
from work_orders.testing_streams import make_completed, make_dispatched, make_rejected

NEW_YEAR = datetime(2025, 12, 31, 15, 58, tzinfo=UTC)


def _rescheduled(chance: random.Random) -> dict[str, Any]:
    start = NEW_YEAR + timedelta(seconds=chance.uniform(0, 21 * 86400))
    other = e.Appointment(start=start, end=start + timedelta(hours=1))
    return chance.choice([{}, {"is_appointment_withdrawn": True}, {"appointment": other}])


MAKE = {
    Act.DISPATCH: lambda chance: make_dispatched(
        work_area_id=chance.choice("NSE"), staff_ids=tuple(chance.sample(["s-1", "s-2", "s-3"], 2))
    ),
    Act.START: lambda _: e.WorkOrderStarted(),
    Act.REJECT: lambda _: make_rejected(),
    Act.SEND_TO_REDISPATCH: lambda chance: e.WorkOrderRedispatchRequested(
        is_misdispatch_valid=chance.choice([True, False, None]), remark="x"
    ),
    Act.COMPLETE: lambda chance: make_completed(
        is_called_back=chance.random() < 0.5,
        is_resolved=chance.random() < 0.7,
        is_petitioned=chance.random() < 0.2,
    ),
    Act.SUBMIT_FOR_AUDIT: lambda _: e.WorkOrderAuditRequested(),
    Act.PASS_AUDIT: lambda _: e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="x"),
    Act.FAIL_AUDIT: lambda _: e.WorkOrderAudited(verdict=e.AuditVerdict.FAILED, remark="x"),
    Act.REDISPATCH: lambda _: e.WorkOrderRedispatchRequested(reason="x"),
    Act.ARCHIVE: lambda _: e.WorkOrderArchived(),
    Act.CANCEL: lambda _: e.WorkOrderCancelled(request_id="r", reason="x"),
    Act.URGE: lambda _: e.WorkOrderUrged(request_id="u", reason="x"),
    Act.SUSPEND: lambda chance: e.WorkOrderSuspended(
        reason="x", until=NEW_YEAR, held_by=chance.choice([None, Holder.HOUSE, Holder.SUBSCRIBER])
    ),
    Act.RESUME: lambda _: e.WorkOrderResumed(),
    Act.NOTE: lambda _: e.WorkOrderNoteAdded(note="x"),
    Act.ARRIVE: lambda _: e.WorkOrderArrived(),
    Act.ACCEPT: lambda _: e.WorkOrderAccepted(),
    Act.CONTACT: lambda _: e.WorkOrderContacted(),
    Act.EXTEND: lambda chance: e.WorkOrderExtended(
        request_id="t", clock=chance.choice([*EXTENDABLE]), minutes=chance.randint(1, 3000), reason="x"
    ),
    Act.REASSIGN: lambda chance: e.WorkOrderReassigned(staff_ids=(chance.choice(["s-1", "s-4"]),), reason="x"),
    Act.RECALL: lambda _: e.WorkOrderRecalled(request_id="b", reason="x"),
    Act.SUPERVISE: lambda _: e.WorkOrderSupervised(request_id="w", reply_by=NEW_YEAR, reason="x"),
    Act.AMEND: lambda chance: e.WorkOrderAmended(
        reason="x",
        before=e.OrderDetails(),
        demand_type=chance.choice([None, "complaint", "fault_repair"]),
        device_type=chance.choice([None, "digital", "analogue"]),
        urgency=chance.choice([None, *e.Urgency]),
        content="x",
        **_rescheduled(chance),
    ),
}
STRAIGHT_ON = (Act.DISPATCH, Act.START, Act.COMPLETE, Act.SUBMIT_FOR_AUDIT, Act.PASS_AUDIT, Act.SEND_TO_REDISPATCH)


def life(make_stream, number: int, chance: random.Random, *, steps: Sequence[float] = ()):
    """An order that anything allowed can happen to, at any time, some of it dated back."""
    at = NEW_YEAR + timedelta(seconds=chance.uniform(0, 20 * 86400))
    wanted_at = at + timedelta(seconds=chance.choice([-60, 30, 40_000]))
    stream = make_stream(
        f"o-{number:03}",
        at=at,
        appointment=chance.choice([None, e.Appointment(start=wanted_at, end=wanted_at + timedelta(hours=1))]),
        demand_type=chance.choice(["fault_repair", "complaint"]),
        subscriber_id=chance.choice(["s-1", "s-2", "s-3"]),
        channel=chance.choice([e.Channel.PHONE, e.Channel.WEB]),
        zone=chance.choice(list(e.Zone)),
        urgency=chance.choice(list(e.Urgency)),
    )
    for _ in range(chance.randint(0, 14)):
        allowed = allowed_acts(stream.order.status, is_suspended=stream.order.suspension is not None)
        acts = [act for act in allowed if act in MAKE]
        likely = [act for act in acts if act in STRAIGHT_ON]
        if not acts:
            break
        act = chance.choice(likely if likely and chance.random() < 0.6 else acts)
        seconds = chance.choice(steps or [-90, 0, 1e-6, 0.0125, 30, chance.uniform(0, 90_000)])
        stream.after(seconds=seconds).add(MAKE[act](chance))
    return stream


def call(number: int, chance: random.Random) -> CallStream:
    """A call of one leg or several, told in any order, with facts missing, doubled, corrected and late."""
    stream, leg_count = CallStream(f"c-{number:03}"), chance.choice([1, 1, 1, 2])
    begin = NEW_YEAR + timedelta(seconds=chance.uniform(0, 20 * 86400))
    said = {
        "direction": chance.choice([c.Direction.INBOUND] * 4 + [c.Direction.OUTBOUND]),
        "channel": chance.choice([e.Channel.PHONE, e.Channel.WEB]),
        "demand_type": chance.choice([None, "complaint"]),
        "subscriber_id": chance.choice([None, "s-1", "s-2"]),
    }
    told = [(c.CallOffered, begin, said | {"queue": chance.choice([None, "ivr"])})]
    at = begin
    for leg in range(1, leg_count + 1):
        at = _leg(told, leg, at, said, chance)
    told += _about_the_call(at, said, chance)
    told = [one for one in told if chance.random() < 0.95]
    if chance.random() < 0.3:
        chance.shuffle(told)
    for place, (kind, when, values) in enumerate(told):
        faults = chance.choice([(), (), (), ("negative_time", "unknown_agent")])
        fact = kind(fact_id=f"{stream.subject}:{place}", faults=faults, **values)
        stream.add(fact, when, recorded_at=max(when, begin) + timedelta(seconds=chance.choice([0, 1, 4000])))
    # What the desk tells is told once, as it happens; a switch corrects what it told.
    of_switch = [one for one in stream.messages if not isinstance(one.body, c.ReplyPromised | c.ReplyGiven)]
    if of_switch and chance.random() < 0.3:
        again = chance.choice(of_switch)
        mended = replace(again.body, revision=2, queue="mended", team="night")
        stream.add(mended, again.occurred_at + timedelta(seconds=1), recorded_at=at + timedelta(days=1))
    _record_in_order(stream)
    return stream


def _leg(told: list, leg: int, at: datetime, said: dict, chance: random.Random) -> datetime:
    wait, talk = chance.choice([0, 5000, 20_000, 20_001, chance.randint(0, 90_000)]), chance.randint(0, 4_000_000)
    said = said | {"leg": leg, "queue": chance.choice(["service", "sales"])}
    by = {"agent_id": chance.choice(["a-1", "a-2"]), "team": chance.choice([None, "day"])}
    told.append((c.CallQueued, at, said))
    for agent_id in chance.choice([[], [], ["a-1"], ["a-2", "a-1"]]):
        rang = {
            "agent_id": agent_id,
            "team": "day",
            "ring_milliseconds": chance.choice([None, 0, 14_999, 15_000, 30_000]),
        }
        told.append((c.CallRangUnanswered, at, said | rang))
    at += timedelta(milliseconds=wait)
    waited = {"wait_milliseconds": chance.choice([wait, wait, wait, None])}
    fate = chance.random()
    if fate < 0.2:
        told.append((c.CallAbandoned, at, said | waited))
    elif fate < 0.3:
        told.append((c.CallLost, at, said | waited | {"reason": c.LossReason.TIMEOUT}))
    elif fate < 0.95:
        rang = {"ring_milliseconds": chance.choice([None, 3000, 15_000, 15_001])}
        told.append((c.CallAnswered, at, said | by | waited | rang))
        hold = chance.choice([0, 0, 30_000, None])
        at += timedelta(milliseconds=talk + (hold or 0) + chance.choice([0, 0, 900, 8_000_000]))
        talked = {"talk_milliseconds": chance.choice([talk, talk, None]), "hold_milliseconds": hold}
        told.append(_end_of_leg(at, said | by | talked, chance))
        if chance.random() < 0.6:
            at += timedelta(seconds=40)
            told.append((c.AfterCallWorkEnded, at, said | by | {"work_milliseconds": chance.choice([40_000, None])}))
    return at


def _end_of_leg(at: datetime, values: dict, chance: random.Random) -> tuple:
    if chance.random() < 0.3:
        return (c.CallTransferred, at, values)
    reason = chance.choice([c.EndReason.HUNG_UP] * 3 + [c.EndReason.SWITCH_STOPPED, c.EndReason.NO_END_REPORTED])
    return (c.CallEnded, at, values | {"reason": reason})


def _about_the_call(at: datetime, said: dict, chance: random.Random) -> list:
    told = []
    if chance.random() < 0.5:
        told.append((c.CallSettled, at, said | {"outcome": chance.choice(list(c.CallOutcome))}))
    if chance.random() < 0.3:
        told.append((c.CallClassified, at, said | {"demand_type": "report", "subscriber_id": "s-1"}))
    if chance.random() < 0.3:
        told.append((c.CallRated, at, said | {"score": chance.choice([None, 1, 5]), "highest": 5}))
    if chance.random() < 0.5:
        told += _promised(at, said, chance)
    return told


def _promised(at: datetime, said: dict, chance: random.Random) -> list:
    """Difficult cases: a promise, perhaps another before or after its time was over, and perhaps the reply."""
    told = []
    for case_id in chance.sample(["k-1", "k-2"], chance.choice([1, 1, 2])):
        about = said | {"case_id": case_id, "agent_id": chance.choice(["a-1", "a-2"]), "team": "day"}
        for _ in range(chance.randint(1, 3)):
            about |= {"reply_by": at + timedelta(hours=chance.choice([0, 2, 48]))}
            told.append((c.ReplyPromised, at, about))
            at += timedelta(hours=chance.choice([0, 1, 2, 60]))
        if chance.random() < 0.6:
            told.append((c.ReplyGiven, at, about))
    return told


def agent(agent_id: str, chance: random.Random) -> CallStream:
    stream, at = CallStream(f"agent:{agent_id}"), NEW_YEAR
    for place in range(60):
        at += timedelta(seconds=chance.choice([0, 600, chance.uniform(0, 30_000)]))
        state, team = chance.choice(list(c.AgentState)), chance.choice([None, "day", "night"])
        fact = c.AgentStateChanged(fact_id=f"{agent_id}:{place}", agent_id=agent_id, state=state, team=team)
        stream.add(fact, at)
        if chance.random() < 0.1:
            stream.add(replace(fact, revision=2, state=c.AgentState.READY), at + timedelta(seconds=5))
    fact = c.AgentStateChanged(fact_id=f"{agent_id}:home", agent_id=agent_id, state=c.AgentState.SIGNED_OUT)
    stream.add(fact, at + timedelta(hours=1))
    _record_in_order(stream)
    return stream


@dataclass
class QualityStream:
    """What quality tells under one key; `messages` may be told again in any batch."""

    subject: str
    messages: list[Message] = field(default_factory=list)

    def add(self, said: Any, at: datetime, *, recorded_at: datetime | None = None) -> None:
        moment = recorded_at or at
        actor = Actor("caller-1", "agent")
        self.messages.append(
            new_message(said, service=Service.QA, subject=self.subject, actor=actor, occurred_at=at, recorded_at=moment)
        )


def follow_up(number: int, order_count: int, chance: random.Random) -> QualityStream:
    """One or two follow-ups under the key of an order, or of a subscriber on a list, ended in whatever way."""
    order_id = chance.choice([None, f"o-{chance.randrange(order_count):03}"])
    stream = QualityStream(order_id or f"f-{number:03}")
    at = NEW_YEAR + timedelta(seconds=chance.uniform(0, 25 * 86400))
    for place in range(chance.choice([1, 1, 2])):
        own = {"follow_up_id": f"f-{number:03}-{place}", "project_id": "p-1"}
        _planned(stream, own, order_id, at, chance)
        at += timedelta(seconds=chance.choice([0, 60, chance.uniform(0, 200_000)]))
        if order_id and chance.random() < 0.3:
            stream.add(q.FollowUpJoined(**own, order_id=f"o-{chance.randrange(order_count):03}"), at)
        if chance.random() < 0.8:
            _ended(stream, own, at, chance)
    told = [one for one in stream.messages if chance.random() < 0.97]
    stream.messages = [*told, *told[:1]]
    return stream


def _planned(stream: QualityStream, own: dict, order_id: str | None, at: datetime, chance: random.Random) -> None:
    about = {
        "work_area_id": chance.choice("NSE"),
        "demand_type": "complaint",
        "channel": chance.choice(list(e.Channel)),
    }
    about["staff_id"] = chance.choice([None, "s-1", "s-2"])
    orders = {"order_ids": (order_id,), **about} if order_id else {}
    said = q.FollowUpPlanned(**own, cause=q.FollowUpCause.LIST, subscriber_no="111", due_by=at, **orders)
    stream.add(said, at, recorded_at=at + timedelta(seconds=chance.choice([0, 4000])))


def _ended(stream: QualityStream, own: dict, at: datetime, chance: random.Random) -> None:
    end, late = chance.choice([q.FollowUpEnd.COMPLETED, *q.FollowUpEnd]), chance.random() < 0.3
    asked = {"questionnaire_id": "visit", "questionnaire_version": 1, "attempt_count": 1}
    stream.add(q.FollowUpAttempted(**own, attempt=1, caller_id="a-1", outcome=q.AttemptOutcome.REACHED), at)
    stream.add(q.FollowUpEnded(**own, end=end, caller_id=chance.choice(["a-1", "a-2"]), is_late=late, **asked), at)
    if end is q.FollowUpEnd.COMPLETED and chance.random() < 0.8:
        stream.add(q.SatisfactionGiven(**own, score=chance.randint(1, 5), highest=5), at)


def _record_in_order(stream: CallStream | QualityStream) -> None:
    """Intake writes one message after the other."""
    latest = stream.messages[0].recorded_at if stream.messages else NEW_YEAR
    for place, message in enumerate(stream.messages):
        latest = max(latest, message.recorded_at)
        stream.messages[place] = replace(message, recorded_at=latest)


def world(make_stream, chance: random.Random, *, orders: int, calls: int) -> list:
    """Streams of every kind; those in which nothing was said are left out."""
    streams = [life(make_stream, number, chance) for number in range(orders)]
    streams += [call(number, chance) for number in range(calls)]
    told: dict[str, QualityStream] = {}
    for number in range(orders):
        one = follow_up(number, orders, chance)
        told.setdefault(one.subject, QualityStream(one.subject)).messages.extend(one.messages)
    for one in told.values():
        _record_in_order(one)
    streams += told.values()
    streams += [agent("a-1", chance), agent("a-2", chance), limits(chance)]
    return [stream for stream in streams if stream.messages]


def limits(chance: random.Random) -> LimitStream:
    """Sets of time limits that operators have defined now and then, some for orders that are there already."""
    stream, at = LimitStream(), NEW_YEAR - timedelta(days=1)
    for _ in range(chance.randint(0, 4)):
        at += timedelta(days=chance.uniform(0, 8))
        applies_from = at + timedelta(days=chance.choice([-400, -3, 0, 0, 2]))
        stream.add(make_limits(chance, applies_from), at)
    return stream


def make_limits(chance: random.Random, applies_from: datetime) -> TimeLimitsDefined:
    given = [
        TimeLimit(
            clock=clock,
            minutes=chance.choice([None, 1, 45, 480, 1440, chance.randint(1, 9000)]),
            is_working_time=chance.random() < 0.5,
            zone=chance.choice([None, None, *e.Zone]),
            demand_type=chance.choice([None, "complaint"]),
            urgency=chance.choice([None, None, *e.Urgency]),
        )
        for clock in chance.choices(list(e.SlaClock), k=chance.randint(0, 12))
    ]
    holidays = [NEW_YEAR.date() + timedelta(days=chance.randint(0, 20)) for _ in range(4)]
    calendar = WorkingTime(
        time_zone=chance.choice(["Asia/Shanghai", "America/New_York"]),
        days_off=tuple(chance.sample(range(7), chance.randint(0, 3))),
        holidays=tuple(holidays[:2]),
        make_up_days=tuple(holidays[2:]),
        hours=(Hours(begin_minute=510, end_minute=720), Hours(begin_minute=810, end_minute=1440)),
    )
    return TimeLimitsDefined(
        applies_from=applies_from, limits=tuple(given), calendar=calendar, longest_extension_minutes=0
    )
