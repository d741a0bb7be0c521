"""FreeSWITCH's records of legs: which of them is a call, whose it was, and how it left its queue."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from contracts import calls as c
from contracts import partners as p
from linework.bridge.freeswitch import events
from linework.bridge.record_formats import json_record, xml_record

START, SECOND = 1_795_372_789, 1_000_000
TIMES = {"start_uepoch": f"{START}000000", "answer_uepoch": f"{START + 5}000000", "end_uepoch": f"{START + 65}000000"}
MEMBER = TIMES | {
    "cc_side": "member",
    "cc_queue": "support@default",
    "cc_queue_joined_epoch": f"{START + 1}",
    "cc_member_uuid": "member-1",
}
CANCELED = {"cc_cause": "cancel", "cc_cancel_reason": "BREAK_OUT", "cc_queue_canceled_epoch": f"{START + 30}"}

Profile = dict[str, Any]
ARRIVED: Profile = {"caller_id_number": "13800001111", "destination_number": "96123", "context": "public"}
DIALLED: Profile = {"caller_id_number": "1001", "destination_number": "13800001111", "context": "default"}
BY_A_CALL = {"originator": {"originator_caller_profiles": [ARRIVED]}}


def as_json(variables: dict[str, str], *profiles: Profile) -> Any:
    """Profiles with the newest first, as the switch writes them."""
    flows = [{"profile_index": str(len(profiles) - n), "caller_profile": one} for n, one in enumerate(profiles)]
    return json_record(json.dumps({"variables": {"uuid": "u-1"} | variables, "callflow": flows}).encode())


def as_xml(variables: dict[str, str], *profiles: Profile) -> Any:
    def element(name: str, value: Any) -> str:
        inner = "".join(element(*pair) for pair in value.items()) if isinstance(value, dict) else value
        if isinstance(value, list):
            inner = "".join(element("originator_caller_profile", one) for one in value)
        return f"<{name}>{inner}</{name}>"

    said = "".join(element(name, quote(value)) for name, value in ({"uuid": "u-1"} | variables).items())
    flows = "".join(
        f'<callflow profile_index="{len(profiles) - n}">{element("caller_profile", one)}</callflow>'
        for n, one in enumerate(profiles)
    )
    return xml_record(f"<cdr><variables>{said}</variables>{flows}</cdr>".encode())


BOTH = pytest.mark.parametrize("record", [as_json, as_xml])


def bodies(record: Any) -> list[Any]:
    return [message.body for message in events(record, "fs")]


@BOTH
def test_an_agent_who_dials_out_has_made_a_call(record: Any) -> None:
    offered, answered, ended = bodies(record(TIMES | {"direction": "inbound", "accountcode": "1001"}, DIALLED))
    assert (offered.direction, offered.caller, offered.line) == (c.Direction.OUTBOUND, "13800001111", "1001")
    assert (answered.agent, type(ended)) == ("1001", p.PartnerCallEnded)


@BOTH
@pytest.mark.parametrize("told_by", [{"originator": "u-0"}, {"profile": "originator"}])
def test_a_leg_that_the_switch_made_for_another_is_no_call(record: Any, told_by: dict[str, str]) -> None:
    profile = DIALLED | (BY_A_CALL if "profile" in told_by else {})
    said = {"originator": told_by["originator"]} if "originator" in told_by else {}
    assert bodies(record(TIMES | {"direction": "outbound"} | said, profile)) == []


@BOTH
def test_a_call_that_the_switch_dialled_itself_went_out(record: Any) -> None:
    (offered, *_) = bodies(record(TIMES | {"direction": "outbound"}, DIALLED | {"context": "public"}))
    assert offered.direction == c.Direction.OUTBOUND


@BOTH
def test_a_call_that_was_passed_on_inside_came_in_by_its_first_context(record: Any) -> None:
    passed_on = ARRIVED | {"destination_number": "1001", "context": "default"}
    (offered, *_) = bodies(record(TIMES | {"direction": "inbound"}, passed_on, ARRIVED))
    assert (offered.direction, offered.caller, offered.line) == (c.Direction.INBOUND, "13800001111", "96123")


@BOTH
def test_a_member_who_was_bridged_to_an_agent_is_a_call_with_its_own_numbers(record: Any) -> None:
    bridged = ARRIVED | {"destination_number": "1001", "caller_id_number": "1001"} | BY_A_CALL
    answered = {"direction": "inbound", "cc_queue_answered_epoch": f"{START + 9}", "cc_agent": "1001@default"}
    (offered, *_, ended) = bodies(record(MEMBER | answered | {"originator": "agent-1"}, bridged, ARRIVED))
    assert (offered.caller, offered.line, type(ended)) == ("13800001111", "96123", p.PartnerCallEnded)


def test_an_inside_caller_of_a_queue_came_in() -> None:
    (offered, *_) = bodies(as_json(MEMBER | {"direction": "inbound"}, DIALLED))
    assert offered.direction == c.Direction.INBOUND


def test_other_contexts_are_inbound_where_they_are_named() -> None:
    record = as_json(TIMES | {"direction": "inbound"}, ARRIVED | {"context": "from-trunk"})
    assert events(record, "fs")[0].body.direction == c.Direction.OUTBOUND
    assert events(record, "fs", {"from-trunk"})[0].body.direction == c.Direction.INBOUND


def test_a_caller_who_hangs_up_while_a_phone_rings_is_a_call() -> None:
    said = {"direction": "inbound", "originate_disposition": "ORIGINATOR_CANCEL", "answer_uepoch": "0"}
    assert [type(body) for body in bodies(as_json(TIMES | said, ARRIVED))] == [
        p.PartnerCallOffered,
        p.PartnerCallAbandoned,
    ]


@pytest.mark.parametrize(
    ("said", "expected", "seconds"),
    [
        ({}, p.PartnerCallLost(reason=c.LossReason.OTHER), 30),
        ({"end_uepoch": f"{START + 30}400000"}, p.PartnerCallAbandoned(), 30),
        ({"end_uepoch": f"{START + 29}900000"}, p.PartnerCallAbandoned(), 30),
        ({"end_uepoch": f"{START + 31}000000"}, p.PartnerCallLost(reason=c.LossReason.OTHER), 30),
        ({"cc_cancel_reason": "TIMEOUT"}, p.PartnerCallLost(reason=c.LossReason.TIMEOUT), 30),
        ({"cc_cancel_reason": "NO_AGENT_TIMEOUT"}, p.PartnerCallLost(reason=c.LossReason.QUEUE_EMPTY), 30),
        ({"cc_cancel_reason": "EXIT_WITH_KEY"}, p.PartnerCallLost(reason=c.LossReason.KEY_PRESSED), 30),
        ({"cc_queue_answered_epoch": f"{START - 50}"}, p.PartnerCallLost(reason=c.LossReason.OTHER), 30),
        ({"cc_queue_canceled_epoch": f"{START - 50}"}, p.PartnerCallAbandoned(), 65),
    ],
)
def test_who_leaves_a_queue_unanswered_waited_until_then(said: dict[str, str], expected: Any, seconds: int) -> None:
    found = events(as_json(MEMBER | CANCELED | {"direction": "inbound"} | said, ARRIVED), "fs")[-1]
    assert type(found.body) is type(expected)
    assert getattr(found.body, "reason", None) == getattr(expected, "reason", None)
    assert int(found.occurred_at.timestamp()) == START + seconds


ANSWERED = {"direction": "inbound", "cc_queue_answered_epoch": f"{START + 9}", "cc_agent": "1001@default"}


@pytest.mark.parametrize(
    ("said", "held", "reported"),
    [
        ({}, None, False),
        ({"hold_accum_seconds": "0"}, None, True),
        ({"hold_accum_ms": 0}, None, True),
        ({"hold_accum_seconds": "3"}, 3000, True),
        ({"hold_accum_seconds": "3", "hold_accum_ms": "3450"}, 3450, True),
    ],
)
def test_a_call_of_a_queue_says_whether_holds_are_reported(said: Any, held: int | None, reported: bool) -> None:
    offered, *_, ended = bodies(as_json(MEMBER | ANSWERED | said, ARRIVED))
    assert (offered.holds_reported, ended.hold_milliseconds) == (reported, held)


def test_an_agents_leg_tells_when_the_caller_was_on_hold() -> None:
    first, second = ([(START + at) * SECOND for at in pair] for pair in ((12, 15), (20, 21)))
    holds = f"{{{{{first[0]},{first[1]}}},{{{second[0]},{second[1]}}}}}"
    agent = TIMES | {"cc_side": "agent", "cc_member_session_uuid": "u-1", "cc_agent": "1001@default", "uuid": "a-1"}
    found = events(as_json(agent | {"hold_events": holds}), "fs")
    assert [(type(one.body).__name__, one.subject, int(one.occurred_at.timestamp()) - START) for one in found] == [
        ("PartnerCallHeld", "u-1", 12),
        ("PartnerCallResumed", "u-1", 15),
        ("PartnerCallHeld", "u-1", 20),
        ("PartnerCallResumed", "u-1", 21),
    ]
    assert len({one.id for one in found}) == 4
    summed = events(as_json(agent | {"last_hold_uepoch": str(START * SECOND), "hold_accum_ms": "2500"}), "fs")
    assert (summed[1].occurred_at - summed[0].occurred_at).total_seconds() == 2.5
    assert bodies(as_json(agent | {"hold_accum_ms": "0", "last_hold_uepoch": "0"})) == []


def test_the_hold_of_an_agent_who_dialled_is_known_and_that_of_a_callers_leg_is_not() -> None:
    none = TIMES | {"direction": "inbound", "hold_accum_ms": "0"}
    *_, dialled = bodies(as_json(none, DIALLED))
    offered, *_, arrived = bodies(as_json(none, ARRIVED))
    assert (dialled.hold_milliseconds, arrived.hold_milliseconds, offered.holds_reported) == (0, None, False)


def test_encoded_values_of_json_are_read_as_what_they_say() -> None:
    said = MEMBER | ANSWERED | {"start_stamp": "2026-03-02 16:00:00"}
    plain = as_json(said, ARRIVED)
    encoded = as_json({name: quote(value) for name, value in said.items()}, ARRIVED)
    assert bodies(encoded) == bodies(plain)
