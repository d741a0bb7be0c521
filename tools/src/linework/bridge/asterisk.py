"""Converts Asterisk's `queue_log` to a partner's events.

A line is `epoch|call id|queue|agent|verb|data…`. An event's id is derived from its line, so that a line which is read
a second time, after a crash or in a rotated copy, yields the same event. State between lines is kept here: the current
leg of a call, the calls that are open when the switch restarts, and the queues in which an agent is paused.
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
from linework.bridge.lines import NONE, Line, Start
from linework.bridge.members import MEMBER_VERBS, Member

_REMEMBERED_SECONDS = 3600
_MOST_REMEMBERED = 50_000
_OPEN_SECONDS = 7 * 24 * 3600
_MOST_STARTS = 1000
_INTERNAL_DIGITS = 6

IGNORED = frozenset(
    ("AGENTDUMP", "CONFIGRELOAD", "DID", "INFO", "MEMBERPENALTY", "PENALTY", "RINGCANCELED", "SYSCOMPAT")
)
"""Verbs that are known and say nothing that a call's figures need."""


@dataclass(slots=True)
class SwitchLeg:
    queue: str
    is_answered: bool = False
    agent: str | None = None
    closed_by: str | None = None
    """The id of the event that ended it."""
    is_entered: bool = True
    """False while only later lines of it were read: its entry is in a file that was not read yet."""


@dataclass(slots=True)
class SwitchCall:
    legs: list[SwitchLeg] = field(default_factory=list)
    seen_at: float = 0.0


@dataclass(slots=True)
class State:
    """Everything that has to be known of earlier lines; it is kept with the cursor."""

    calls: dict[str, SwitchCall] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    """The ids of the last hour's lines: a rotated copy may hold them again."""
    newest_at: float = 0.0
    newest_began: float = 0.0
    """When the newest file that was read began: one that began earlier is an older file, read afterwards."""
    starts: list[Start] = field(default_factory=list)
    """The last starts of the switch."""
    older_members: dict[str, Member] = field(default_factory=dict)
    """Agents according to older files, which do not change their present state."""
    older_calls: dict[str, Start] = field(default_factory=dict)
    """Calls of older files, with the start of the switch that ends them unless the file does."""


class Translator:
    """Turns lines into events, in the order of the file."""

    def __init__(self, partner_id: str, state: State) -> None:
        self.state = state
        self._partner_id = partner_id
        self._began = 0.0
        self._is_older = False
        self._forget_above = _MOST_REMEMBERED

    def begin_file(self, began: float | None, *, is_next: bool = False) -> None:
        """To be called before the lines of a file: when it began, by its first line; None where none of them says.

        `is_next` marks a file that is known to go on with what was read before; others are compared by their times.
        """
        self._began = began = self.state.newest_began if began is None else began
        self._is_older = began < self.state.newest_began and not is_next
        self.state.newest_began = max(self.state.newest_began, began)

    def end_older_files(self) -> list[Message]:
        """What older files left open, and a start of the switch in a file that was read before them has ended."""
        state = self.state
        ended = [
            self._cut_off(start, name, number, leg)
            for name, start in state.older_calls.items()
            for number, leg in enumerate(state.calls[name].legs, start=1)
            if leg.closed_by is None and state.calls[name].seen_at <= start.at
        ]
        for agent, member in state.older_members.items():
            if member.start is not None:
                member.sign_out()
                ended += self._told(member.start, agent, member, reason="switch_stopped")
        state.older_calls.clear()
        state.older_members.clear()
        return ended

    def _start_after(self, line: Line) -> Start | None:
        if not self._is_older:
            return None
        later = [start for start in self.state.starts if start.began > self._began and start.at >= line.at]
        return min(later, key=lambda start: (start.at, start.began), default=None)

    def _member(self, line: Line, agent: str) -> Member:
        known = self.state.older_members if self._is_older else self.state.members
        member = known.setdefault(agent, Member())
        member.start = self._start_after(line)
        return member

    def events(self, line: Line) -> list[Message] | None:
        """The events of a line, empty for a repeated line; None if its verb is unknown."""
        if line.id in self.state.taken:
            return []
        self.state.taken[line.id] = line.at
        self.state.newest_at = max(self.state.newest_at, line.at)
        found: Iterator[Message]
        if line.verb in _CALL_VERBS and line.call != NONE:
            found = self._of_call(line)
        elif line.verb in MEMBER_VERBS and line.agent:
            found = self._of_member(line, line.agent)
        elif line.verb == "QUEUESTART":
            found = self._of_start(line)
        else:
            return [] if line.verb in IGNORED else None
        events = list(found)
        self._forget()
        return events

    def _message(self, line: Line | Start, body: Any, subject: str, suffix: str = "") -> Message:
        return new_partner_message(
            body,
            partner_id=self._partner_id,
            event_id=line.id + suffix,
            subject=subject,
            occurred_at=datetime.fromtimestamp(line.at, UTC),
        )

    def _of_call(self, line: Line) -> Iterator[Message]:
        call = self.state.calls.setdefault(line.call, SwitchCall())
        call.seen_at = max(call.seen_at, line.at)
        if (start := self._start_after(line)) is not None:
            self.state.older_calls[line.call] = start
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

    def _entered(self, line: Line, call: SwitchCall) -> Iterator[Message]:
        number = _entered_leg(call, line.queue or "")
        if number == 1:
            offered = p.PartnerCallOffered(queue=line.queue, caller=_caller(line))
            yield self._message(line, offered, line.call, "-offered")
        if line.verb == "ENTERQUEUE":
            position = line.milliseconds(2, unit=1)
            queued = p.PartnerCallQueued(leg=number, queue=line.queue, position=position)
            yield self._message(line, queued, line.call)
        else:
            reason = c.LossReason.QUEUE_FULL if line.verb == "FULL" else c.LossReason.QUEUE_EMPTY
            call.legs[number - 1].closed_by = line.id
            lost = p.PartnerCallLost(leg=number, queue=line.queue, reason=reason, wait_milliseconds=0)
            yield self._message(line, lost, line.call)

    def _of_start(self, line: Line) -> Iterator[Message]:
        """The switch starts: everything that was open when it died has ended at an unknown time."""
        start = Start(line.id, line.at, self._began)
        self.state.starts = [*self.state.starts[1 - _MOST_STARTS :], start]
        for name, call in self.state.calls.items():
            # Calls of a file that was read before this older one came after its end.
            if self._is_older and call.seen_at > line.at:
                continue
            for number, leg in enumerate(call.legs, start=1):
                if leg.closed_by is None:
                    yield self._cut_off(start, name, number, leg)
        members = self.state.older_members if self._is_older else self.state.members
        for agent, member in members.items():
            member.sign_out()
            yield from self._told(start, agent, member, reason="switch_stopped")

    def _cut_off(self, start: Start, call: str, number: int, leg: SwitchLeg) -> Message:
        about: dict[str, Any] = {"leg": number, "queue": leg.queue or None}
        body: p.PartnerCallEvent = p.PartnerCallLost(**about, reason=c.LossReason.SWITCH_STOPPED)
        if leg.is_answered:
            body = p.PartnerCallEnded(**about, agent=leg.agent, reason=c.EndReason.SWITCH_STOPPED)
        suffix = f"-{hashlib.sha256(call.encode()).hexdigest()[:16]}-{number}-{type(body).__name__}"
        leg.closed_by = start.id + suffix
        return self._message(start, body, call, suffix)

    def _of_member(self, line: Line, agent: str) -> Iterator[Message]:
        member = self._member(line, agent)
        MEMBER_VERBS[line.verb](member, line)
        yield from self._told(line, agent, member)

    def _seen(self, line: Line, agent: str) -> Iterator[Message]:
        """An agent who takes a call serves its queue even without a log line: members can be configured."""
        member = self._member(line, agent)
        member.serves(line.queue)
        yield from self._told(line, agent, member)

    def _told(self, line: Line | Start, agent: str, member: Member, reason: str | None = None) -> Iterator[Message]:
        state = member.state()
        # Another set of queues is not another state, and an agent who was never seen is not signed out.
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
        """Drops calls that ended long ago, and those that are open for a week: their end was missed."""
        if len(self.state.calls) + len(self.state.taken) < self._forget_above:
            return
        before, long_before = self.state.newest_at - _REMEMBERED_SECONDS, self.state.newest_at - _OPEN_SECONDS
        recent = [(name, at) for name, at in self.state.taken.items() if at >= before]
        self.state.taken = dict(recent[-_MOST_REMEMBERED:])
        self.state.calls = {
            name: call
            for name, call in self.state.calls.items()
            if call.seen_at >= before
            or name in self.state.older_calls
            or (call.seen_at >= long_before and any(leg.closed_by is None for leg in call.legs))
        }
        # Not with every line of a busy hour, in which nothing can be forgotten yet.
        self._forget_above = max(_MOST_REMEMBERED, 2 * (len(self.state.calls) + len(self.state.taken)))


def _entered_leg(call: SwitchCall, queue: str) -> int:
    for number, leg in enumerate(call.legs, start=1):
        if leg.queue == queue and not leg.is_entered:
            leg.is_entered = True
            return number
    call.legs.append(SwitchLeg(queue))
    return len(call.legs)


def _leg_of(call: SwitchCall, queue: str | None) -> int:
    """Which leg a line is about: the last one in its queue, else the last."""
    if not call.legs:
        call.legs.append(SwitchLeg(queue or "", is_entered=False))
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
    """Wait, talk and position at entry are the last three fields of every kind of transfer."""
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
