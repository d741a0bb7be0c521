"""Partners, which operators register, and agents, whom each partner knows under names of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.calls import AgentStateChanged
from contracts.refusals import Conflict, Forbidden, NotFound


class PartnerNotFound(NotFound):
    """There is no partner {partner_id}."""

    zh = "没有合作方 {partner_id}。"


class AgentNameTaken(Conflict):
    """Partner {partner_id} already uses the name {name} for another agent."""

    zh = "合作方 {partner_id} 的名称 {name} 已属于另一坐席。"


class SubscriberFieldsNotPermitted(Forbidden):
    """The partner may not set of a subscriber: {fields:subscriber_field}. Permitted: {permitted:subscriber_field}."""

    zh = "合作方无权设置用户的{fields:subscriber_field}；可设置：{permitted:subscriber_field}。"


@dataclass(frozen=True, slots=True)
class Partner:
    id: str
    name_en: str
    name_zh: str
    is_active: bool = True
    events_per_second: int = 200
    """Beyond it the partner's events wait on its topic; none is dropped."""
    subscriber_fields: tuple[str, ...] = ()
    """What the partner may set of subscribers."""
    replay_days: int = 30
    """What the partner was told is kept so long, and can be replayed."""
    replay_messages: int = 10_000
    """A replay ends after so many, and says where the next one goes on."""
    replay_per_second: int = 100
    version: int = 0
    paced_until: datetime | None = None
    """In the future while the partner is over its quota."""


@dataclass(frozen=True, slots=True)
class AgentName:
    partner_id: str
    name: str


@dataclass(frozen=True, slots=True)
class DeskAgent:
    id: str
    name: str
    team: str | None = None
    is_active: bool = True
    names: tuple[AgentName, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class AgentStream:
    """An agent's stream: how many states it has, and the state that is the latest by its time."""

    agent_id: str
    version: int = 0
    state: str | None = None
    """None: no state is known."""
    since: datetime | None = None
    reason: str | None = None
    queues: Sequence[str] = ()
    team: str | None = None
    partner_id: str | None = None

    def followed_by(self, state: AgentStateChanged, *, at: datetime) -> "AgentStream":
        """The stream with one more state; a late one does not become the present one."""
        longer = replace(self, version=self.version + 1)
        if self.since is not None and at < self.since:
            return longer
        return replace(
            longer,
            state=state.state.value,
            since=at,
            reason=state.reason,
            queues=state.queues,
            team=state.team,
            partner_id=state.partner_id,
        )
