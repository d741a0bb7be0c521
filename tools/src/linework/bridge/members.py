"""The state of agents according to a queue_log: the queues that they serve, and those in which they are paused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from contracts import calls as c
from linework.bridge.lines import Line, Start


@dataclass(slots=True)
class Member:
    """An agent as far as the log shows it."""

    queues: set[str] = field(default_factory=set)
    paused_in: set[str] = field(default_factory=set)
    is_paused_everywhere: bool = False
    reason: str | None = None
    told: tuple[str, str | None, tuple[str, ...]] | None = None
    """State, reason and queues of the last event."""
    start: Start | None = None
    """The start of the switch that follows, where an older file was read after the one with the start."""

    def serves(self, queue: str | None) -> None:
        """A queue that is not named stands for any until one is."""
        if queue:
            self.queues.discard("")
        self.queues.add(queue or (next(iter(self.queues), "")))

    def sign_out(self) -> None:
        self.queues, self.paused_in, self.is_paused_everywhere = set(), set(), False

    def state(self) -> tuple[str, str | None, tuple[str, ...]]:
        queues = tuple(sorted(self.queues))
        if not queues:
            return c.AgentState.SIGNED_OUT, None, ()
        if self.is_paused_everywhere or self.paused_in >= self.queues:
            return c.AgentState.PAUSED, self.reason, queues
        return c.AgentState.READY, None, tuple(sorted(self.queues - self.paused_in))


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


MEMBER_VERBS: Mapping[str, Callable[[Member, Line], None]] = {
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
