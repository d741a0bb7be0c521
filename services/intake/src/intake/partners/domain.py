"""Partners, whom an operator registers, and agents, for whom partners have names of their own."""

from dataclasses import dataclass
from datetime import datetime

from contracts.refusals import Conflict, NotFound


class PartnerNotFound(NotFound):
    """There is no partner {partner_id}."""

    zh = "没有合作方 {partner_id}。"


class AgentNameTaken(Conflict):
    """Partner {partner_id} already calls another agent {name}."""

    zh = "合作方 {partner_id} 的名称 {name} 已属于另一坐席。"


@dataclass(frozen=True, slots=True)
class Partner:
    id: str
    name_en: str
    name_zh: str
    is_active: bool = True
    events_per_second: int = 200
    """Beyond it the partner's events wait on its topic; none is dropped."""
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
