"""Converts FreeSWITCH's call records to a partner's events.

It reads the formats of `mod_json_cdr`, `mod_xml_cdr` and `mod_cdr_csv` (`record_formats`). A record describes a leg.
A leg that the switch created for another leg (it has an `originator`) is not a separate call; otherwise each call would
count twice. With `mod_callcenter` the member's leg (`cc_side` is `member`) has queue, agent and times, and the agent's
leg has the holds: FreeSWITCH records a hold on the leg that requested it. Any other leg is a call without a queue:
`direction` is the view of the switch, for which the phone of an agent who dials out is inbound, so the dialplan context
decides whether the call was inbound. Times are microseconds since 1970, those of
`mod_callcenter` whole seconds.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import calls as c
from contracts import partners as p
from contracts.codec import new_partner_message
from contracts.message import Message

_LONGEST = 200
_LONGEST_MILLISECONDS = 7 * 24 * 3600 * 1000
_HOLD = re.compile(r"\{(\d{1,18}),(\d{1,18})\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS = {
    "TIMEOUT": c.LossReason.TIMEOUT,
    "NO_AGENT_TIMEOUT": c.LossReason.QUEUE_EMPTY,
    "EXIT_WITH_KEY": c.LossReason.KEY_PRESSED,
}


class NotACallRecord(ValueError):
    """Valid JSON, but not a call record; the text says what is missing."""


def events(
    record: Mapping[str, Any], partner_id: str, inbound_contexts: Collection[str] = ("public",)
) -> list[Message]:
    """The events of one record: a call's, or an agent's holds; none of a leg made for another.

    Raises `NotACallRecord`. Calls that arrived in one of the contexts came in, others went out.
    """
    variables = record.get("variables")
    if not isinstance(variables, Mapping):
        raise NotACallRecord("it has no variables")
    uuid = _text(variables, "uuid") or _text(variables, "call_uuid")
    if uuid is None:
        raise NotACallRecord("it has no uuid")
    started_at = _moment(variables, "start_uepoch") or _moment(variables, "start_epoch", unit=1_000_000)
    if started_at is None:
        raise NotACallRecord("it has no start_uepoch")
    if variables.get("cc_side") == "agent":
        call, bodies = _text(variables, "cc_member_session_uuid"), _held_by_agent(variables)
    elif _is_made_for_another(variables):
        return []
    else:
        call, bodies = uuid, _bodies(variables, started_at, _direction(variables, inbound_contexts))
    return [
        new_partner_message(
            body, partner_id=partner_id, event_id=f"fs-{uuid}-{number}", subject=call, occurred_at=at or started_at
        )
        for number, (body, at) in enumerate(bodies, start=1)
        if call is not None
    ]


Timed = tuple[Any, datetime | None]


def _is_made_for_another(variables: Mapping[str, Any]) -> bool:
    # Bridged to its agent a member has an originator as well, though it called first.
    if _text(variables, "cc_queue") is not None:
        return False
    return _text(variables, "originator") is not None or str(variables.get("channel_name") or "").startswith(
        "loopback/"
    )


def _direction(variables: Mapping[str, Any], inbound_contexts: Collection[str]) -> c.Direction:
    if variables.get("direction") == "outbound":
        return c.Direction.OUTBOUND  # dialled by the switch, and for no other leg
    context = _text(variables, "context")
    is_inbound = context is None or context in inbound_contexts or _text(variables, "cc_queue") is not None
    return c.Direction.INBOUND if is_inbound else c.Direction.OUTBOUND


def _bodies(variables: Mapping[str, Any], started_at: datetime, direction: c.Direction) -> Iterator[Timed]:
    is_outbound = direction is c.Direction.OUTBOUND
    number = _text(variables, "destination_number" if is_outbound else "caller_id_number")
    line = _text(variables, "caller_id_number" if is_outbound else "destination_number")
    queue = _text(variables, "cc_queue")
    # Holds are in the record of the agent's leg: a call of a queue without any had none.
    has_holds_recorded = queue is not None and _held_milliseconds(variables) is not None
    offered = p.PartnerCallOffered(
        direction=direction, caller=_number(number), line=line, queue=queue, holds_reported=has_holds_recorded
    )
    yield offered, started_at
    if queue is not None:
        yield from _queued(variables, queue)
    else:
        yield from _direct(variables, is_outbound)
    yield from _recorded(variables)


def _queued(variables: Mapping[str, Any], queue: str) -> Iterator[Timed]:
    joined_at = _moment(variables, "cc_queue_joined_epoch", unit=1_000_000)

    def moment(name: str) -> datetime | None:
        """Variables before this queue's entry are of an earlier queue of the same call."""
        found = _moment(variables, f"cc_queue_{name}_epoch", unit=1_000_000)
        return None if found and joined_at and found < joined_at else found

    answered_at, ended_at = moment("answered"), _moment(variables, "end_uepoch")
    yield p.PartnerCallQueued(queue=queue), joined_at
    if answered_at is not None:
        agent = _text(variables, "cc_agent")
        yield p.PartnerCallAnswered(queue=queue, agent=agent), answered_at
        yield _ended(variables, agent, _held_milliseconds(variables) or None), moment("terminated") or ended_at
        return
    canceled_at = moment("canceled")
    reason = _REASONS.get(str(variables.get("cc_cancel_reason"))) if variables.get("cc_cause") == "cancel" else None
    if reason is None and _went_on(canceled_at, ended_at):
        # BREAK_OUT covers callers who hang up and callers who are taken out of the queue; the latter did not give up.
        reason = c.LossReason.OTHER
    left_at = canceled_at or moment("terminated") or ended_at
    if reason is None:
        yield p.PartnerCallAbandoned(queue=queue), left_at
    else:
        yield p.PartnerCallLost(queue=queue, reason=reason), left_at


def _went_on(canceled_at: datetime | None, ended_at: datetime | None) -> bool:
    """Whether the call lasted longer than its stay in the queue, whose end is known to the second."""
    return canceled_at is not None and ended_at is not None and ended_at - canceled_at >= timedelta(seconds=1)


def _held_by_agent(variables: Mapping[str, Any]) -> Iterator[Timed]:
    about: dict[str, Any] = {"queue": _text(variables, "cc_queue"), "agent": _text(variables, "cc_agent")}
    for held_at, resumed_at in _holds(variables):
        yield p.PartnerCallHeld(**about), held_at
        yield p.PartnerCallResumed(**about), resumed_at


def _holds(variables: Mapping[str, Any]) -> Iterator[tuple[datetime, datetime]]:
    """From `{{start,end},{start,end}}`; where that is missing, the sum from the last hold's start on."""
    pairs = _HOLD.findall(str(variables.get("hold_events") or ""))
    last, held = _whole(variables, "last_hold_uepoch"), _held_milliseconds(variables)
    if not pairs and last and held:
        pairs = [(str(last), str(last + held * 1000))]
    for start, end in pairs:
        times = {"start": start, "end": end}
        if (held_at := _moment(times, "start")) and (resumed_at := _moment(times, "end")):
            yield held_at, resumed_at


def _direct(variables: Mapping[str, Any], is_outbound: bool) -> Iterator[Timed]:
    answered_at, ended_at = _moment(variables, "answer_uepoch"), _moment(variables, "end_uepoch")
    agent = _text(variables, "accountcode")
    if answered_at is None:
        yield p.PartnerCallAbandoned(), ended_at
        return
    # The leg is the agent's own where the agent called; where a caller did, the agent's holds are on another leg.
    held = _held_milliseconds(variables)
    yield p.PartnerCallAnswered(agent=agent), answered_at
    yield _ended(variables, agent, held if is_outbound else held or None), ended_at


def _ended(variables: Mapping[str, Any], agent: str | None, held: int | None) -> p.PartnerCallEnded:
    by = {"recv_bye": c.EndedBy.CALLER, "send_bye": c.EndedBy.AGENT}.get(str(variables.get("sip_hangup_disposition")))
    return p.PartnerCallEnded(agent=agent, ended_by=by or c.EndedBy.UNKNOWN, hold_milliseconds=held)


def _held_milliseconds(variables: Mapping[str, Any]) -> int | None:
    """How long the leg had the other one on hold; None if it is not recorded."""
    held, seconds = _whole(variables, "hold_accum_ms"), _whole(variables, "hold_accum_seconds")
    if held is None and seconds is not None:
        held = seconds * 1000
    return None if held is None else min(held, _LONGEST_MILLISECONDS)


def _recorded(variables: Mapping[str, Any]) -> Iterator[Timed]:
    name = _text(variables, "record_path") or _text(variables, "cc_record_filename")
    if name is not None:
        length = _whole(variables, "record_seconds")
        milliseconds = None if length is None else min(length * 1000, _LONGEST_MILLISECONDS)
        at = _moment(variables, "end_uepoch")
        yield p.PartnerRecordingAvailable(recording_id=name, length_milliseconds=milliseconds), at


def _text(variables: Mapping[str, Any], name: str) -> str | None:
    text = "".join(character for character in str(variables.get(name) or "") if character.isprintable())
    return text[:_LONGEST] or None


def _number(text: str | None) -> str | None:
    plain = (text or "").replace(" ", "").replace("-", "")
    return plain if plain.lstrip("+").isdigit() and len(plain) <= 32 else None


def _whole(variables: Mapping[str, Any], name: str) -> int | None:
    value = variables.get(name)
    text = "" if value is None else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _moment(variables: Mapping[str, Any], name: str, *, unit: int = 1) -> datetime | None:
    count = _whole(variables, name)
    if not count:
        return None
    try:
        return _EPOCH + timedelta(microseconds=count * unit)
    except OverflowError:
        return None
