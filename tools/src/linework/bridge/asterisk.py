"""What Asterisk's `queue_log` says, as a partner's events.

A line is `epoch|call id|queue|agent|verb|data…`. The id of an event is made from its line, so that a line which is read
again, after a crash or in a rotated copy, is the same event. What a line leaves unsaid is kept here between
lines: which leg of a call it is about, which calls are open when the switch starts anew, who is paused where.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from contracts import calls as c
from contracts import partners as p
from contracts.codec import new_partner_message
from contracts.message import Message

_NONE = "NONE"
_LONGEST = 200
_REMEMBERED_SECONDS = 3600
_MOST_REMEMBERED = 50_000
_INTERNAL_DIGITS = 6

IGNORED = frozenset(
    ("AGENTDUMP", "CONFIGRELOAD", "DID", "INFO", "MEMBERPENALTY", "PENALTY", "RINGCANCELED", "SYSCOMPAT")
)
"""Verbs that are known and say nothing that a call's figures need."""


class Unreadable(ValueError):
    """The line is not one of a queue_log."""


@dataclass(slots=True)
class Leg:
    queue: str
    is_answered: bool = False
    agent: str | None = None
    closed_by: str | None = None
    """The id of the event that ended it."""


@dataclass(slots=True)
class Call:
    legs: list[Leg] = field(default_factory=list)
    seen_at: float = 0.0


@dataclass(slots=True)
class Member:
    """An agent as far as the log shows it."""

    queues: set[str] = field(default_factory=set)
    paused_in: set[str] = field(default_factory=set)
    is_paused_everywhere: bool = False
    reason: str | None = None
    told: tuple[str, str | None, tuple[str, ...]] | None = None
    """State, reason and queues as they were said last."""

    def serves(self, queue: str | None) -> None:
        """A queue that is not named stands for any until one is."""
        if queue:
            self.queues.discard("")
        self.queues.add(queue or (next(iter(self.queues), "")))

    def state(self) -> tuple[str, str | None, tuple[str, ...]]:
        queues = tuple(sorted(self.queues))
        if not queues:
            return c.AgentState.SIGNED_OUT, None, ()
        if self.is_paused_everywhere or self.paused_in >= self.queues:
            return c.AgentState.PAUSED, self.reason, queues
        return c.AgentState.READY, None, tuple(sorted(self.queues - self.paused_in))


@dataclass(slots=True)
class State:
    """Everything that has to be known of earlier lines; it is kept with the cursor."""

    calls: dict[str, Call] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    """The ids of the last hour's lines: a rotated copy may hold them again."""
    newest_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    number: int
    """How many lines like it, to the letter, were in the file up to here."""
    at: float
    call: str
    queue: str | None
    agent: str | None
    verb: str
    data: tuple[str, ...]

    @property
    def id(self) -> str:
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:24]
        return f"ql-{digest}" if self.number == 1 else f"ql-{digest}-{self.number}"

    def text_at(self, place: int) -> str | None:
        return _clean(self.data[place]) if -len(self.data) <= place < len(self.data) else None

    def milliseconds(self, place: int, unit: int = 1000) -> int | None:
        """A duration of the line; None when there is none, or one that cannot be."""
        text = self.text_at(place) or ""
        return int(text) * unit if text.isascii() and text.isdigit() and len(text) <= 9 else None


def parsed(text: str, number: int = 1) -> Line:
    """A line without its end; raises `Unreadable`."""
    parts = text.split("|")
    if len(parts) < 5:
        raise Unreadable("it has fewer than five fields")
    try:
        at = float(parts[0])
        datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable("it does not begin with a time") from error
    if not parts[4].strip():
        raise Unreadable("it has no verb")
    queue, agent = _clean(parts[2]), _clean(parts[3])
    return Line(
        text,
        number,
        at,
        _clean(parts[1]) or _NONE,
        None if queue == _NONE else queue,
        None if agent == _NONE else agent,
        parts[4].strip().upper(),
        tuple(parts[5:]),
    )


def _clean(text: str) -> str | None:
    """What can be sent: printable and not too long; None for nothing."""
    kept = "".join(character for character in text.strip() if character.isprintable())[:_LONGEST]
    return kept or None


class Translator:
    """Turns lines into events, in the order of the file."""

    def __init__(self, partner_id: str, state: State) -> None:
        self.state = state
        self._partner_id = partner_id

    def events(self, line: Line) -> list[Message] | None:
        """The events of a line, none for one that was taken before; None when its verb is not known."""
        if line.id in self.state.taken:
            return []
        self.state.taken[line.id] = line.at
        self.state.newest_at = max(self.state.newest_at, line.at)
        found: Iterator[Message]
        if line.verb in _CALL_VERBS and line.call != _NONE:
            found = self._of_call(line)
        elif line.verb in _MEMBER_VERBS and line.agent:
            found = self._of_member(line, line.agent)
        elif line.verb == "QUEUESTART":
            found = self._of_start(line)
        else:
            return [] if line.verb in IGNORED else None
        events = list(found)
        self._forget()
        return events

    def _message(self, line: Line, body: Any, subject: str, suffix: str = "") -> Message:
        return new_partner_message(
            body,
            partner_id=self._partner_id,
            event_id=line.id + suffix,
            subject=subject,
            occurred_at=datetime.fromtimestamp(line.at, UTC),
        )

    def _of_call(self, line: Line) -> Iterator[Message]:
        call = self.state.calls.setdefault(line.call, Call())
        call.seen_at = max(call.seen_at, line.at)
        if line.agent:
            yield from self._seen(line, line.agent)
        if line.verb in _ENTRIES:
            yield from self._entered(line, call)
            return
        number = _leg_of(call, line.queue)
        leg = call.legs[number - 1]
        body = _CALL_VERBS[line.verb](line)
        fields: dict[str, Any] = {"leg": number, "queue": line.queue or leg.queue or None, "agent": line.agent}
        if isinstance(body, p.PartnerCallAnswered):
            leg.is_answered, leg.agent = True, line.agent
        elif not isinstance(body, p.PartnerCallRangUnanswered):
            # Read again after the switch had been taken for dead: it is the better word on the same end.
            if leg.closed_by and leg.closed_by.endswith(type(body).__name__):
                fields["corrects"] = leg.closed_by
            leg.closed_by = line.id
        yield self._message(line, _with(body, **fields), line.call)

    def _entered(self, line: Line, call: Call) -> Iterator[Message]:
        queue = line.queue or ""
        call.legs.append(Leg(queue))
        number = len(call.legs)
        if number == 1:
            offered = p.PartnerCallOffered(queue=line.queue, caller=_caller(line))
            yield self._message(line, offered, line.call, "-offered")
        if line.verb == "ENTERQUEUE":
            position = line.milliseconds(2, unit=1)
            queued = p.PartnerCallQueued(leg=number, queue=line.queue, position=position)
            yield self._message(line, queued, line.call)
        else:
            reason = c.LossReason.QUEUE_FULL if line.verb == "FULL" else c.LossReason.QUEUE_EMPTY
            call.legs[-1].closed_by = line.id
            lost = p.PartnerCallLost(leg=number, queue=line.queue, reason=reason, wait_milliseconds=0)
            yield self._message(line, lost, line.call)

    def _of_start(self, line: Line) -> Iterator[Message]:
        """The switch starts: whatever was open when it died has ended, nobody knows when."""
        for name, call in self.state.calls.items():
            for number, leg in enumerate(call.legs, start=1):
                if leg.closed_by is None:
                    yield self._cut_off(line, name, number, leg)
        for agent, member in self.state.members.items():
            member.queues, member.paused_in, member.is_paused_everywhere = set(), set(), False
            yield from self._told(line, agent, member, reason="switch_stopped")

    def _cut_off(self, line: Line, call: str, number: int, leg: Leg) -> Message:
        about: dict[str, Any] = {"leg": number, "queue": leg.queue or None}
        body: p.PartnerCallEvent = p.PartnerCallLost(**about, reason=c.LossReason.SWITCH_STOPPED)
        if leg.is_answered:
            body = p.PartnerCallEnded(**about, agent=leg.agent, reason=c.EndReason.SWITCH_STOPPED)
        suffix = f"-{hashlib.sha256(call.encode()).hexdigest()[:16]}-{number}-{type(body).__name__}"
        leg.closed_by = line.id + suffix
        return self._message(line, body, call, suffix)

    def _of_member(self, line: Line, agent: str) -> Iterator[Message]:
        member = self.state.members.setdefault(agent, Member())
        _MEMBER_VERBS[line.verb](member, line)
        yield from self._told(line, agent, member)

    def _seen(self, line: Line, agent: str) -> Iterator[Message]:
        """An agent who takes a call serves its queue, whether or not the log said so: members can be configured."""
        member = self.state.members.setdefault(agent, Member())
        member.serves(line.queue)
        yield from self._told(line, agent, member)

    def _told(self, line: Line, agent: str, member: Member, reason: str | None = None) -> Iterator[Message]:
        state = member.state()
        # A queue more or less is no other state, and nobody is signed out who was never seen in.
        if member.told is None and state[0] == c.AgentState.SIGNED_OUT:
            return
        if member.told is not None and member.told[:2] == state[:2]:
            return
        member.told = state
        body = p.PartnerAgentStateChanged(
            agent=agent, state=c.AgentState(state[0]), reason=reason or state[1], queues=tuple(filter(None, state[2]))
        )
        digest = hashlib.sha256(agent.encode()).hexdigest()[:8]
        yield self._message(line, body, f"agent:{agent}", f"-{digest}-{state[0]}")

    def _forget(self) -> None:
        """Calls that ended long ago say nothing any more."""
        if len(self.state.calls) + len(self.state.taken) < _MOST_REMEMBERED:
            return
        before = self.state.newest_at - _REMEMBERED_SECONDS
        self.state.taken = {name: at for name, at in self.state.taken.items() if at >= before}
        self.state.calls = {
            name: call
            for name, call in self.state.calls.items()
            if call.seen_at >= before or any(leg.closed_by is None for leg in call.legs)
        }


def _leg_of(call: Call, queue: str | None) -> int:
    """Which leg a line is about: the last one in its queue, else the last."""
    if not call.legs:
        call.legs.append(Leg(queue or ""))
    for number in range(len(call.legs), 0, -1):
        if call.legs[number - 1].queue == queue:
            return number
    return len(call.legs)


def _with(body: Any, **fields: Any) -> Any:
    return replace(body, **{name: value for name, value in fields.items() if value is not None})


def _caller(line: Line) -> str | None:
    text = (line.text_at(1) or "").replace(" ", "").replace("-", "")
    return text if text.lstrip("+").isdigit() and len(text) <= 32 else None


def _ended(by: c.EndedBy) -> Callable[[Line], Any]:
    return lambda line: p.PartnerCallEnded(ended_by=by, talk_milliseconds=line.milliseconds(1))


def _lost(reason: c.LossReason) -> Callable[[Line], Any]:
    # `EXITWITHKEY` has the key in front; the wait is the last in all of them, and missing in old ones.
    def body(line: Line) -> Any:
        fields = 4 if reason is c.LossReason.KEY_PRESSED else 3
        return p.PartnerCallLost(
            reason=reason, wait_milliseconds=line.milliseconds(fields - 1) if len(line.data) >= fields else None
        )

    return body


def _transferred(line: Line) -> Any:
    """Wait, talk and position at entry are the last three, whatever kind of transfer stands before them."""
    is_attended = line.verb == "ATTENDEDTRANSFER"
    target = None if is_attended else line.text_at(0)
    return p.PartnerCallTransferred(
        target_kind=_target_kind(target),
        target=target,
        is_attended=is_attended,
        talk_milliseconds=line.milliseconds(-2) if len(line.data) >= 4 else None,
    )


def _target_kind(target: str | None) -> c.TransferTarget:
    if target is None:
        return c.TransferTarget.UNKNOWN
    is_number = target.lstrip("+").isdigit()
    is_outside = is_number and len(target) > _INTERNAL_DIGITS
    return c.TransferTarget.EXTERNAL if is_outside else c.TransferTarget.EXTENSION


_ENTRIES = ("ENTERQUEUE", "JOINEMPTY", "JOINUNAVAIL", "FULL")

_CALL_VERBS: Mapping[str, Callable[[Line], Any]] = {
    **dict.fromkeys(_ENTRIES, lambda line: None),
    "CONNECT": lambda line: p.PartnerCallAnswered(
        wait_milliseconds=line.milliseconds(0), ring_milliseconds=line.milliseconds(2)
    ),
    "COMPLETEAGENT": _ended(c.EndedBy.AGENT),
    "COMPLETECALLER": _ended(c.EndedBy.CALLER),
    "TRANSFER": _transferred,
    "BLINDTRANSFER": _transferred,
    "ATTENDEDTRANSFER": _transferred,
    "ABANDON": lambda line: p.PartnerCallAbandoned(
        wait_milliseconds=line.milliseconds(2) if len(line.data) >= 3 else None
    ),
    "EXITWITHTIMEOUT": _lost(c.LossReason.TIMEOUT),
    "EXITEMPTY": _lost(c.LossReason.QUEUE_EMPTY),
    "EXITWITHKEY": _lost(c.LossReason.KEY_PRESSED),
    "RINGNOANSWER": lambda line: p.PartnerCallRangUnanswered(ring_milliseconds=line.milliseconds(0, unit=1)),
}


def _joined(member: Member, line: Line) -> None:
    member.serves(line.queue)


def _left(member: Member, line: Line) -> None:
    member.queues = member.queues - {line.queue} if line.queue else set()
    member.paused_in &= member.queues


def _paused(member: Member, line: Line) -> None:
    member.serves(line.queue)
    member.paused_in |= {line.queue} if line.queue else member.queues
    member.reason = line.text_at(0)


def _unpaused(member: Member, line: Line) -> None:
    member.paused_in.discard(line.queue or "")


def _paused_everywhere(member: Member, line: Line) -> None:
    member.queues = member.queues or {""}
    member.is_paused_everywhere, member.reason = True, line.text_at(0)


def _unpaused_everywhere(member: Member, _: Line) -> None:
    member.queues = member.queues or {""}
    member.is_paused_everywhere, member.paused_in = False, set()


_MEMBER_VERBS: Mapping[str, Callable[[Member, Line], None]] = {
    "ADDMEMBER": _joined,
    "AGENTLOGIN": _joined,
    "AGENTCALLBACKLOGIN": _joined,
    "REMOVEMEMBER": _left,
    "AGENTLOGOFF": _left,
    "AGENTCALLBACKLOGOFF": _left,
    "PAUSE": _paused,
    "UNPAUSE": _unpaused,
    "PAUSEALL": _paused_everywhere,
    "UNPAUSEALL": _unpaused_everywhere,
}
