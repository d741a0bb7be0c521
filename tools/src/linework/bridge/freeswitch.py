"""What FreeSWITCH says of a call when it is over, as a partner's events.

Read are the call records of `mod_json_cdr`, `mod_xml_cdr` and `mod_cdr_csv` (`record_formats`). Of `mod_callcenter` the
member's leg (`cc_side` is `member`) tells queue, agent and times; any other inbound or outbound record is a call
without a queue. Records of an agent's own leg are left out, or the call would count twice. Times are microseconds
since 1970.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import calls as c
from contracts import partners as p
from contracts.codec import new_partner_message
from contracts.message import Message

_LONGEST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS = {
    "TIMEOUT": c.LossReason.TIMEOUT,
    "NO_AGENT_TIMEOUT": c.LossReason.QUEUE_EMPTY,
    "EXIT_WITH_KEY": c.LossReason.KEY_PRESSED,
}


class NotACallRecord(ValueError):
    """It is JSON, and no call record; the text says what is missing."""


def events(record: Mapping[str, Any], partner_id: str) -> list[Message]:
    """The events of one call record; none for an agent's own leg. Raises `NotACallRecord`."""
    said = record.get("variables")
    if not isinstance(said, Mapping):
        raise NotACallRecord("it has no variables")
    if said.get("cc_side") == "agent" or said.get("originate_disposition") == "ORIGINATOR_CANCEL":
        return []
    call = _text(said, "uuid") or _text(said, "call_uuid")
    if call is None:
        raise NotACallRecord("it has no uuid")
    started_at = _moment(said, "start_uepoch") or _moment(said, "start_epoch", unit=1_000_000)
    if started_at is None:
        raise NotACallRecord("it has no start_uepoch")
    return [
        new_partner_message(
            body, partner_id=partner_id, event_id=f"fs-{call}-{number}", subject=call, occurred_at=at or started_at
        )
        for number, (body, at) in enumerate(_bodies(said, started_at), start=1)
    ]


Timed = tuple[Any, datetime | None]


def _bodies(said: Mapping[str, Any], started_at: datetime) -> Iterator[Timed]:
    is_outbound = said.get("direction") == "outbound"
    number = _text(said, "destination_number" if is_outbound else "caller_id_number")
    line = _text(said, "caller_id_number" if is_outbound else "destination_number")
    queue = _text(said, "cc_queue")
    direction = c.Direction.OUTBOUND if is_outbound else c.Direction.INBOUND
    yield p.PartnerCallOffered(direction=direction, caller=_number(number), line=line, queue=queue), started_at
    if queue is not None:
        yield from _queued(said, queue)
    else:
        yield from _direct(said)
    yield from _recorded(said)


def _queued(said: Mapping[str, Any], queue: str) -> Iterator[Timed]:
    joined_at = _moment(said, "cc_queue_joined_epoch", unit=1_000_000)
    answered_at = _moment(said, "cc_queue_answered_epoch", unit=1_000_000)
    left_at = _moment(said, "cc_queue_terminated_epoch", unit=1_000_000) or _moment(said, "end_uepoch")
    agent = _text(said, "cc_agent")
    yield p.PartnerCallQueued(queue=queue), joined_at
    if answered_at is not None:
        yield p.PartnerCallAnswered(queue=queue, agent=agent), answered_at
        yield _ended(said, agent), left_at
    elif said.get("cc_cause") == "cancel" and (reason := _REASONS.get(str(said.get("cc_cancel_reason")))):
        yield p.PartnerCallLost(queue=queue, reason=reason), left_at
    else:
        yield p.PartnerCallAbandoned(queue=queue), left_at


def _direct(said: Mapping[str, Any]) -> Iterator[Timed]:
    answered_at, ended_at = _moment(said, "answer_uepoch"), _moment(said, "end_uepoch")
    agent = _text(said, "accountcode")
    if answered_at is not None:
        yield p.PartnerCallAnswered(agent=agent), answered_at
        yield _ended(said, agent), ended_at
    else:
        yield p.PartnerCallAbandoned(), ended_at


def _ended(said: Mapping[str, Any], agent: str | None) -> p.PartnerCallEnded:
    by = {"recv_bye": c.EndedBy.CALLER, "send_bye": c.EndedBy.AGENT}.get(str(said.get("sip_hangup_disposition")))
    held = _whole(said, "hold_accum_seconds")
    hold = None if held is None else min(held * 1000, 7 * 24 * 3600 * 1000)
    return p.PartnerCallEnded(agent=agent, ended_by=by or c.EndedBy.UNKNOWN, hold_milliseconds=hold)


def _recorded(said: Mapping[str, Any]) -> Iterator[Timed]:
    name = _text(said, "record_path") or _text(said, "cc_record_filename")
    if name is not None:
        length = _whole(said, "record_seconds")
        milliseconds = None if length is None else min(length * 1000, 7 * 24 * 3600 * 1000)
        at = _moment(said, "end_uepoch")
        yield p.PartnerRecordingAvailable(recording_id=name, length_milliseconds=milliseconds), at


def _text(said: Mapping[str, Any], name: str) -> str | None:
    text = "".join(character for character in str(said.get(name) or "") if character.isprintable())
    return text[:_LONGEST] or None


def _number(text: str | None) -> str | None:
    plain = (text or "").replace(" ", "").replace("-", "")
    return plain if plain.lstrip("+").isdigit() and len(plain) <= 32 else None


def _whole(said: Mapping[str, Any], name: str) -> int | None:
    text = str(said.get(name) or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _moment(said: Mapping[str, Any], name: str, *, unit: int = 1) -> datetime | None:
    count = _whole(said, name)
    if not count:
        return None
    try:
        return _EPOCH + timedelta(microseconds=count * unit)
    except OverflowError:
        return None
