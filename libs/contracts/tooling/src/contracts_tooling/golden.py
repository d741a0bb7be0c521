"""Golden records: what every message looked like on Kafka when it was first published.

`MESSAGES` is what the recorded files must still decode to. The files are the record: one that exists is
never written again, so a change that reads an old event differently shows itself. A new message or a new
shape gets a new timeline here; then `python -m contracts_tooling.golden FOLDER` records what is missing.
"""

import argparse
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from contracts import directory as d
from contracts import events as e
from contracts import requests as r
from contracts.catalogue import BY_BODY, MessageKind
from contracts.chain import GENESIS, event_hash
from contracts.codec import Headers, encode, source_of, source_of_partner
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts_tooling import (
    golden_amendments,
    golden_calls,
    golden_facts,
    golden_handling,
    golden_limits,
    golden_quality,
    golden_sealed,
)

AGENT = Actor("agent-7", "agent", "陈静")
DISPATCHER = Actor("dispatcher-2", "dispatcher", "Zoë O’Neill")
TECHNICIAN = Actor("technician-31", "technician", "王强")
AUDITOR = Actor("auditor-4", "auditor")
ENGINE = Actor("engine", "operator")

_BEGIN = datetime(2026, 3, 2, 0, 30, 15, 123456, tzinfo=UTC)
_AT_NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
_ORDER = "0f5e8a52-6f0c-4d1b-9a41-2c6a3f3b7d10"
_SECOND_ORDER = "7c2b1f64-95a0-4a7e-8f0d-51f1f6a8e3b2"
_CALL = "0b3b8f0e-8f0e-5d2c-9d64-1f6a3a7f1c11"
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Step = tuple[Service, Actor, Any]

_WHOLE_LIFE: tuple[Step, ...] = (
    (
        Service.INTAKE,
        AGENT,
        e.WorkOrderCreated(
            order_no="20260302-000017",
            subscriber_id="5b0d7c1e-2f63-4d0a-bb1f-6f1f0f7f9d11",
            subscriber_no="111",
            device_type="digital",
            demand_type="fault_repair",
            content='没有图像，声音正常 📺 "snow" on every channel\nsince Sunday',
            channel=e.Channel.PHONE,
            zone=e.Zone.RURAL,
            territory="chengdong",
            appointment=e.Appointment(_AT_NINE, _AT_NINE + timedelta(hours=2)),
            external_reference="311-0098231",
        ),
    ),
    (Service.DISPATCH, ENGINE, e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-31",))),
    (
        Service.FIELDWORK,
        TECHNICIAN,
        e.WorkOrderRejected(reason=e.RejectionReason.OUTSIDE_AREA, explanation="不属于北区。"),
    ),
    (
        Service.DISPATCH,
        DISPATCHER,
        e.WorkOrderRedispatchRequested(is_misdispatch_valid=True, remark="Belongs to the east."),
    ),
    (
        Service.DISPATCH,
        DISPATCHER,
        e.WorkOrderDispatched(
            work_area_id="east", staff_ids=("staff-40", "staff-41"), remark="Two people 两人", is_binding=True
        ),
    ),
    (Service.FIELDWORK, TECHNICIAN, e.WorkOrderStarted()),
    (Service.FIELDWORK, TECHNICIAN, e.WorkOrderNoteAdded(note="Gate code asked for.")),
    (
        Service.FIELDWORK,
        TECHNICIAN,
        e.WorkOrderSuspended(reason="等待配件", until=_AT_NINE + timedelta(days=1)),
    ),
    (Service.FIELDWORK, TECHNICIAN, e.WorkOrderUrged(request_id="urge-1", reason="The subscriber called again.")),
    (Service.FIELDWORK, TECHNICIAN, e.WorkOrderResumed()),
    (
        Service.FIELDWORK,
        TECHNICIAN,
        e.WorkOrderCompleted(
            staff_ids=("staff-40",),
            handling="更换机顶盒",
            is_resolved=True,
            is_petitioned=False,
            is_called_back=False,
        ),
    ),
    (Service.QA, AUDITOR, e.WorkOrderAuditRequested()),
    (Service.QA, AUDITOR, e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="合格")),
    (Service.QA, AUDITOR, e.WorkOrderArchived()),
)

_CANCELLED: tuple[Step, ...] = (
    (
        Service.INTAKE,
        AGENT,
        e.WorkOrderCreated(
            order_no="20260302-000018",
            subscriber_id="subscriber-2",
            subscriber_no="222",
            device_type="analogue",
            demand_type="test",
            content="x",
            channel=e.Channel.WEB,
            zone=e.Zone.URBAN,
        ),
    ),
    (Service.DISPATCH, DISPATCHER, e.WorkOrderCancelled(request_id="cancel-1", reason="Called by mistake.")),
)

_SENT_BACK: tuple[Step, ...] = (
    _CANCELLED[0],
    (Service.DISPATCH, ENGINE, e.WorkOrderDispatched(work_area_id="west", staff_ids=("staff-9",))),
    (Service.FIELDWORK, TECHNICIAN, e.WorkOrderStarted()),
    (
        Service.FIELDWORK,
        TECHNICIAN,
        e.WorkOrderCompleted(
            staff_ids=("staff-9",), handling="-", is_resolved=False, is_petitioned=True, is_called_back=True
        ),
    ),
    (Service.QA, AUDITOR, e.WorkOrderRedispatchRequested(reason="Not repaired.")),
)

_REQUESTS: tuple[Step, ...] = (
    (Service.INTAKE, AGENT, r.WorkOrderCancelRequested(request_id="cancel-1", reason="Called by mistake.")),
    (Service.DISPATCH, AGENT, r.WorkOrderCancelRequested(request_id="cancel-2", reason="不要了", hop=1)),
    (Service.INTAKE, AGENT, r.WorkOrderUrgeRequested(request_id="urge-1", reason="The subscriber called again.")),
    (Service.FIELDWORK, AGENT, r.WorkOrderUrgeRequested(request_id="urge-2", reason="催办", hop=2)),
    (Service.QA, ENGINE, r.WorkOrderRequestRefused(request_id="cancel-3", code="act_not_allowed", status="archived")),
    (
        Service.QA,
        AUDITOR,
        r.WorkOrderRequestRefused(
            request_id="cancel-4",
            code="act_not_allowed",
            status="completed",
            allowed_acts=("submit_for_audit", "redispatch", "archive"),
        ),
    ),
)

_DIRECTORY: tuple[tuple[str, Step], ...] = (
    (
        "work_area:north",
        (Service.DISPATCH, DISPATCHER, d.WorkAreaDefined(work_area_id="north", names=d.Names("North", "北区"))),
    ),
    (
        "work_area:east",
        (
            Service.DISPATCH,
            DISPATCHER,
            d.WorkAreaDefined(
                work_area_id="east",
                names=d.Names("East", "东区"),
                territories=("chengdong", "hedong"),
                demand_types=("fault_repair",),
                device_types=("digital", "analogue"),
                is_open=False,
            ),
        ),
    ),
    (
        "staff:staff-31",
        (Service.DISPATCH, DISPATCHER, d.StaffDefined(staff_id="staff-31", name="王强", work_area_id="north")),
    ),
    (
        "staff:staff-40",
        (
            Service.DISPATCH,
            DISPATCHER,
            d.StaffDefined(
                staff_id="staff-40", name="Li Na", work_area_id="east", skills=("digital", "fibre"), is_active=False
            ),
        ),
    ),
    (
        "device_type:digital",
        (Service.INTAKE, AGENT, d.DeviceTypeDefined(device_type="digital", names=d.Names("Digital", "数字"))),
    ),
    (
        "demand_type:report",
        (
            Service.INTAKE,
            AGENT,
            d.DemandTypeDefined(demand_type="report", names=d.Names("Report", "举报"), is_active=False),
        ),
    ),
)


def _recorded(place: str, number: int, subject: str, step: Step, **attributes: Any) -> tuple[str, Message]:
    service, actor, body = step
    entry = BY_BODY[type(body)]
    name = f"{place}/{number:02}-{entry.type.split('.')[2]}"
    occurred_at = _BEGIN + timedelta(minutes=7 * number)
    message = Message(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"linework:golden:{name}")),
        type=entry.type,
        source=source_of_partner("pbx") if entry.kind is MessageKind.PARTNER_EVENT else source_of(service),
        subject=subject,
        occurred_at=occurred_at,
        recorded_at=occurred_at + timedelta(milliseconds=40),
        actor=actor,
        data=msgspec.json.encode(body),
        body=body,
        **attributes,
    )
    return name, message


def _timeline(place: str, order_id: str, steps: tuple[Step, ...], **attributes: Any) -> Iterator[tuple[str, Message]]:
    previous = GENESIS
    for version, step in enumerate(steps, start=1):
        name, message = _recorded(
            place, version, order_id, step, order_version=version, prev_hash=previous, **attributes
        )
        previous = event_hash(message)
        yield name, message


def _all() -> Iterator[tuple[str, Message]]:
    yield from _timeline("whole-life", _ORDER, _WHOLE_LIFE, correlation_id="call-5521", traceparent=_TRACE)
    yield from _timeline("cancelled", _SECOND_ORDER, _CANCELLED, causation_id="cancel-1")
    yield from _timeline("sent-back", "work-order 3 / 工单", _SENT_BACK)
    for number, step in enumerate(_REQUESTS, start=1):
        yield _recorded("requests", number, _SECOND_ORDER, step, causation_id=f"cause-{number}")
    for number, (subject, step) in enumerate(_DIRECTORY, start=1):
        yield _recorded("directory", number, subject, step, entity_version=number)
    yield from _timeline("sealed", "3f1d0c9a-7a55-4f0e-9a5e-0b8f1a6d2c47", golden_sealed.SEALED)
    for number, (subject, step) in enumerate(golden_sealed.SEALING_KEYS, start=1):
        yield _recorded("sealing-keys", number, subject, step, entity_version=number)
    yield from _of_calls()
    yield from _timeline("extended", _SECOND_ORDER, (_CANCELLED[0], *golden_limits.EXTENDED))
    yield from _timeline("amended", "6f2b6d0e-95d7-4d5a-8a53-0f0a3e0d9c11", golden_amendments.AMENDED)
    yield from _timeline("suspended", _SECOND_ORDER, (*_SENT_BACK[:3], golden_handling.SUSPENDED))
    for number, body in enumerate(golden_limits.LIMITS, start=1):
        step = (Service.DISPATCH, ENGINE, body)
        yield _recorded("time-limits", number, golden_limits.SUBJECT, step, entity_version=number)
    for number, calendar in enumerate(golden_limits.CALENDARS, start=1):
        yield _recorded("calendars", number, "calendar:cn", (Service.DISPATCH, ENGINE, calendar), entity_version=number)
    yield from _timeline("handled", _SECOND_ORDER, (_CANCELLED[0], *golden_handling.HANDLED))
    for place, module in (("extension", golden_limits), ("amend", golden_amendments), ("handling", golden_handling)):
        for number, step in enumerate(module.REQUESTS, start=1):
            yield _recorded(f"{place}-requests", number, _SECOND_ORDER, step)
    for number, (name, body) in enumerate(golden_limits.OF_CALENDARS, start=3):
        yield _recorded(name, 1, golden_limits.SUBJECT, (Service.DISPATCH, ENGINE, body), entity_version=number)
    for key, version, number, body in golden_limits.ALARMS:
        step = (Service.DISPATCH, ENGINE, body)
        yield _recorded("alarms" if key is None else key, number, key or _SECOND_ORDER, step, entity_version=version)
    step = (Service.DISPATCH, ENGINE, golden_handling.RULES_OF_PHONES)
    yield _recorded("handling-rules-of-phones", 1, golden_handling.SUBJECT, step, entity_version=3)
    yield from _timeline("in-the-field", _SECOND_ORDER, (_CANCELLED[0], *golden_facts.IN_THE_FIELD))
    yield from _timeline("sent-back-by-phone", _SECOND_ORDER, (_CANCELLED[0], *golden_facts.SENT_BACK))
    for number, fact in enumerate(golden_facts.FACTS, start=1):
        yield _recorded("facts", number, _SECOND_ORDER, (Service.FIELDWORK, TECHNICIAN, fact))
    for number, rules in enumerate(golden_handling.RULES, start=1):
        step = (Service.DISPATCH, ENGINE, rules)
        yield _recorded("handling-rules", number, golden_handling.SUBJECT, step, entity_version=number)
    step = (Service.DISPATCH, ENGINE, golden_handling.RULES_OF_URGENCY)
    yield _recorded("rules-of-urgency", 1, golden_handling.SUBJECT, step, entity_version=3)
    yield _recorded("leads", 1, "staff:staff-50", (Service.DISPATCH, ENGINE, golden_handling.LEAD), entity_version=1)
    for number, body in enumerate(golden_quality.QUALITY, start=1):
        yield _recorded("quality", number, "rec-1", (Service.QA, AUDITOR, body))


def _of_calls() -> Iterator[tuple[str, Message]]:
    intake, switch = Service.INTAKE, Actor("pbx", "partner")
    places: tuple[tuple[str, str, Actor, tuple[Any, ...]], ...] = (
        ("calls", _CALL, switch, golden_calls.CALLS),
        ("agent-states", "agent:agent-7", switch, golden_calls.AGENT_STATES),
        ("links", _SECOND_ORDER, AGENT, golden_calls.LINKS),
        ("agents", "agent:agent-7", ENGINE, golden_calls.AGENTS),
        ("partner-out", "1795372789.1", Actor("intake", "service"), golden_calls.ANSWERS),
        ("partner-in", "1795372789.1", switch, golden_calls.PARTNER_CALLS),
        ("partner-offers", "1795372789.1", switch, golden_calls.PARTNER_OFFERS),
        ("partner-states", "agent:Agent/105", switch, golden_calls.PARTNER_STATES),
        ("partner-orders", "PO-2026-17", switch, golden_calls.PARTNER_ORDERS),
        ("partner-urgent-orders", "PO-2026-18", switch, golden_calls.PARTNER_URGENT_ORDERS),
        *((place, subject, switch, said) for place, subject, said in golden_calls.SAID_BY_PARTNERS),
        *((place, subject, Actor("intake", "service"), said) for place, subject, said in golden_calls.TOLD_TO_PARTNERS),
        ("calls-ring-told", _CALL, switch, golden_calls.RING_TOLD),
        ("partner-ring-told", "1795372789.1", switch, golden_calls.PARTNER_RING_TOLD),
    )
    for place, subject, actor, bodies in places:
        for number, body in enumerate(bodies, start=1):
            is_versioned = BY_BODY[type(body)].kind in (MessageKind.FACT, MessageKind.ENTITY)
            version = {"entity_version": number} if is_versioned else {}
            yield _recorded(place, number, subject, (intake, actor, body), causation_id=f"cause-{number}", **version)


MESSAGES: Mapping[str, Message] = dict(_all())
"""By the name of their file, without its ending: a timeline and a place in it."""


def fullest(message_type: str) -> Message:
    """The longest record of the type: the example that says most."""
    return max(
        (message for message in MESSAGES.values() if message.type == message_type), key=lambda one: len(one.data)
    )


def text_of(message: Message) -> str:
    """The file of a golden record: key, headers and value as they travel, and the event's hash."""
    key, value, headers = encode(message)
    record = {
        "key": key.decode(),
        "headers": [[name, text.decode()] for name, text in headers],
        "value": value.decode(),
    }
    if message.order_version is not None:
        record["event_hash"] = event_hash(message)
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def read(file: Path) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a recorded file."""
    record = json.loads(file.read_text(encoding="utf-8"))
    return record["key"].encode(), record["value"].encode(), [(name, text.encode()) for name, text in record["headers"]]


def record_missing(folder: Path) -> list[str]:
    """Writes the files that are not there yet; returns their names. Files that are there stay as they are."""
    missing = [name for name in MESSAGES if not (folder / f"{name}.json").exists()]
    for name in missing:
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_of(MESSAGES[name]), encoding="utf-8")
        with (folder / "SHA256SUMS").open("a", encoding="utf-8") as sums:
            sums.write(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}.json\n")
    return missing


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m contracts_tooling.golden", description="Records missing golden files."
    )
    parser.add_argument("folder", type=Path)
    for name in record_missing(parser.parse_args().folder):
        print(f"recorded {name}")


if __name__ == "__main__":
    main()
