"""What is recorded of calls, partners and links: each type with nothing but what it must say, and with everything."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts import calls as c
from contracts import directory as d
from contracts import links
from contracts import partners as p
from contracts.events import Appointment, Channel, Urgency, Zone
from contracts.lifecycle import Status

_NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
_TEN = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)

_FACT: dict[str, Any] = {
    "revision": 2,
    "leg": 2,
    "queue": "complaints",
    "agent_id": "agent-7",
    "team": "一班",
    "channel": Channel.APP,
    "direction": c.Direction.OUTBOUND,
    "demand_type": "complaint",
    "subscriber_id": "5b0d7c1e-2f63-4d0a-bb1f-6f1f0f7f9d11",
    "faults": ("before_offer", "unknown_agent"),
}
_SAID: dict[str, Any] = {"leg": 2, "queue": "complaints", "agent": "Agent/105", "corrects": "pbx-0041"}
_CASE: dict[str, Any] = {"case_id": "case-3", "reply_by": _TEN}

CALLS: tuple[Any, ...] = tuple(
    body
    for shape, must, may in (
        (c.CallOffered, {}, {"partner_id": "pbx", "call_reference": "1795372789.1", "line": "96123"}),
        (c.CallQueued, {}, {"position": 3}),
        (c.CallRangUnanswered, {}, {"ring_milliseconds": 7000}),
        (c.CallAnswered, {}, {"wait_milliseconds": 4000}),
        (c.CallHeld, {}, {}),
        (c.CallResumed, {}, {"hold_milliseconds": 31_250}),
        (
            c.CallTransferred,
            {},
            {
                "target_kind": c.TransferTarget.EXTENSION,
                "target": "900",
                "is_attended": True,
                "talk_milliseconds": 6000,
                "hold_milliseconds": 0,
            },
        ),
        (c.CallAbandoned, {}, {"wait_milliseconds": 3000}),
        (c.CallLost, {"reason": c.LossReason.TIMEOUT}, {"wait_milliseconds": 20_000}),
        (
            c.CallEnded,
            {},
            {
                "ended_by": c.EndedBy.CALLER,
                "reason": c.EndReason.SWITCH_STOPPED,
                "talk_milliseconds": 27_000,
                "hold_milliseconds": 31_250,
            },
        ),
        (c.AfterCallWorkEnded, {}, {"work_milliseconds": 45_000}),
        (c.RecordingAvailable, {"recording_id": "rec-1"}, {"length_milliseconds": 27_000, "started_at": _NINE}),
        (c.CallRated, {}, {"score": 4, "highest": 10}),
        (c.CallClassified, {}, {}),
        (
            c.CallSettled,
            {"outcome": c.CallOutcome.WORK_ORDER},
            {
                "article_id": "article-12",
                "order_id": "7c2b1f64-95a0-4a7e-8f0d-51f1f6a8e3b2",
                "order_was_open": True,
                "referral_id": "referral-5",
                "department": "billing",
                "case_id": "case-3",
            },
        ),
        (c.DepartmentAnswered, {"referral_id": "referral-5", "department": "billing"}, {}),
        (c.ReplyPromised, _CASE, {}),
        (c.ReplyWarned, _CASE, {}),
        (c.ReplyOverdue, _CASE, {}),
        (c.ReplyGiven, _CASE, {}),
    )
    for body in (shape(fact_id="pbx:1", **must), shape(fact_id="pbx:2", **must, **may, **_FACT))
)

AGENT_STATES = (
    c.AgentStateChanged(fact_id="pbx:3", agent_id="agent-7", state=c.AgentState.READY),
    c.AgentStateChanged(
        fact_id="pbx:4",
        agent_id="agent-7",
        state=c.AgentState.PAUSED,
        revision=2,
        team="一班",
        reason="break",
        queues=("support", "complaints"),
        partner_id="pbx",
        faults=("unknown_agent",),
    ),
)

LINKS = (
    links.WorkOrderLinked(link_id="link-1", kind=links.LinkKind.DUPLICATE),
    links.WorkOrderLinked(
        link_id="link-2", kind=links.LinkKind.SAME_OUTAGE, other_order_id="order-1", outage_id="outage-4"
    ),
    links.WorkOrderUnlinked(link_id="link-1"),
)

AGENTS = (
    d.AgentDefined(agent_id="agent-7", name="陈静"),
    d.AgentDefined(agent_id="agent-8", name="Zoë", team="night", is_active=False),
)

PARTNER_CALLS: tuple[Any, ...] = tuple(
    body
    for shape, must, may in (
        (
            p.PartnerCallOffered,
            {},
            {
                "direction": c.Direction.OUTBOUND,
                "channel": Channel.WEB,
                "caller": "13800001111",
                "line": "96123",
                "demand_type": "complaint",
            },
        ),
        (p.PartnerCallQueued, {}, {"position": 3}),
        (p.PartnerCallRangUnanswered, {}, {"ring_milliseconds": 7000}),
        (p.PartnerCallAnswered, {}, {"wait_milliseconds": 4000}),
        (p.PartnerCallHeld, {}, {}),
        (p.PartnerCallResumed, {}, {}),
        (
            p.PartnerCallTransferred,
            {},
            {
                "target_kind": c.TransferTarget.QUEUE,
                "target": "complaints",
                "is_attended": True,
                "talk_milliseconds": 6000,
                "hold_milliseconds": 0,
            },
        ),
        (p.PartnerCallAbandoned, {}, {"wait_milliseconds": 3000}),
        (p.PartnerCallLost, {"reason": c.LossReason.KEY_PRESSED}, {"wait_milliseconds": 20_000}),
        (
            p.PartnerCallEnded,
            {},
            {
                "ended_by": c.EndedBy.AGENT,
                "reason": c.EndReason.SWITCH_STOPPED,
                "talk_milliseconds": 27_000,
                "hold_milliseconds": 31_250,
            },
        ),
        (p.PartnerAfterCallWorkEnded, {}, {"work_milliseconds": 45_000}),
        (p.PartnerRecordingAvailable, {"recording_id": "rec-1"}, {"length_milliseconds": 1, "started_at": _NINE}),
        (p.PartnerCallRated, {}, {"score": 4, "highest": 10}),
    )
    for body in (shape(**must), shape(**must, **may, **_SAID))
)

PARTNER_OFFERS = (
    p.PartnerCallOffered(
        **_SAID,
        direction=c.Direction.OUTBOUND,
        channel=Channel.WEB,
        caller="13800001111",
        line="96123",
        demand_type="complaint",
        holds_reported=True,
    ),
)

RING_TOLD = (c.CallAnswered(fact_id="fact-1", **_FACT, wait_milliseconds=4000, ring_milliseconds=3000),)
"""How long it rang at the agent who answered: told since a later version than the rest."""

PARTNER_RING_TOLD = (p.PartnerCallAnswered(**_SAID, wait_milliseconds=4000, ring_milliseconds=3000),)

PARTNER_STATES = (
    p.PartnerAgentStateChanged(agent="Agent/105", state=c.AgentState.READY),
    p.PartnerAgentStateChanged(
        agent="Agent/105", state=c.AgentState.PAUSED, reason="break", queues=("complaints",), corrects="pbx-0040"
    ),
)

_ASKED: dict[str, Any] = {
    "subscriber_no": "111",
    "device_type": "digital",
    "demand_type": "fault_repair",
    "content": "没有图像",
}

PARTNER_ORDERS = (
    p.PartnerOrderRequested(**_ASKED),
    p.PartnerOrderRequested(**_ASKED, zone=Zone.REMOTE, territory="chengdong", appointment=Appointment(_NINE, _TEN)),
)

PARTNER_URGENT_ORDERS = (replace(PARTNER_ORDERS[1], urgency=Urgency.URGENT),)

_NAMES = d.Names("A code is missing.", "缺少代码。")

ANSWERS = (
    p.PartnerEventsAccepted(events=(p.AcceptedEvent(event_id="pbx-0041"),)),
    p.PartnerEventsAccepted(
        events=(p.AcceptedEvent(event_id="pbx-0042", faults=("before_offer",)), p.AcceptedEvent(event_id="pbx-0043")),
        call_id="0b3b8f0e-8f0e-5d2c-9d64-1f6a3a7f1c11",
        order_id="7c2b1f64-95a0-4a7e-8f0d-51f1f6a8e3b2",
        order_no="20260302-000018",
    ),
    p.PartnerEventRefused(code="event_malformed", detail=_NAMES),
    p.PartnerEventRefused(
        code="event_malformed",
        detail=_NAMES,
        event_id="pbx-0044",
        event_type="linework.partner.call_lost.v1",
        mistakes=(p.Mistake("/reason", _NAMES, "timeout"), p.Mistake("", _NAMES)),
        partition=3,
        offset=91_822,
        is_parked=True,
    ),
)

PARTNER_REQUESTS = (
    p.PartnerOrderCancelRequested(reason="用户已自行恢复"),
    p.PartnerOrderUrgeRequested(reason="The subscriber has called again.\nNo heating."),
)

_ORDER: dict[str, Any] = {"order_id": "7c2b1f64-95a0-4a7e-8f0d-51f1f6a8e3b2", "order_no": "20260302-000018"}
PARTNER_STATUSES = (
    p.PartnerOrderStatusChanged(**_ORDER, status=Status.CANCELLED, order_version=2),
    p.PartnerOrderStatusChanged(
        **_ORDER, status=Status.DISPATCHED, order_version=2, appointment=Appointment(_NINE, _TEN), reply_by=_TEN
    ),
)

_OUTAGE: dict[str, Any] = {"territories": ("chengdong",), "cause": "光缆中断"}
PARTNER_OUTAGES = (
    p.PartnerOutageReported(**_OUTAGE),
    p.PartnerOutageReported(**_OUTAGE, is_planned=True, began_at=_NINE, restore_by=_TEN),
    p.PartnerOutageRestoreTimeChanged(restore_by=_TEN),
    p.PartnerOutageRestored(),
)
PARTNER_SUBSCRIBERS = (
    p.PartnerSubscriberChanged(subscriber_no="100200", zone=Zone.RURAL),
    p.PartnerSubscriberChanged(
        subscriber_no="100200",
        name="Example Person",
        phones=("+86 138 0000 1111", "95598"),
        address="Example Street 1",
        kind="household",
        zone=Zone.URBAN,
        territory="chengdong",
        notes="Gate code at the porter.\nDog.",
    ),
)
OUTAGE_ANSWERS = (
    p.PartnerEventsAccepted(
        events=(p.AcceptedEvent(event_id="o-1", faults=("clock_ahead",)),),
        call_id="0b3b8f0e-8f0e-5d2c-9d64-1f6a3a7f1c11",
        order_id="7c2b1f64-95a0-4a7e-8f0d-51f1f6a8e3b2",
        order_no="20260302-000018",
        outage_id="4f0b0a6e-2f1d-5d0a-9c3b-6a7a4d5e1f22",
    ),
)

PARTNER_REPLAYS = (p.PartnerReplayRequested(since=_NINE),)
REPLAY_ENDS = (
    p.PartnerReplayEnded(event_id="replay-1", message_count=12, is_complete=True),
    p.PartnerReplayEnded(event_id="replay-2", message_count=10_000, is_complete=False, next_since=_TEN),
)

SAID_BY_PARTNERS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("partner-requests", "PO-2026-17", PARTNER_REQUESTS),
    ("partner-outages", "outage-17", PARTNER_OUTAGES),
    ("partner-subscribers", "subscriber:100200", PARTNER_SUBSCRIBERS),
    ("partner-replays", "replay of Monday", PARTNER_REPLAYS),
)
"""By the place of the records: their subject, and what is said there."""
TOLD_TO_PARTNERS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("partner-statuses-out", "PO-2026-17", PARTNER_STATUSES),
    ("partner-outages-out", "outage-17", OUTAGE_ANSWERS),
    ("partner-replays-out", "replay of Monday", REPLAY_ENDS),
)
