"""Rules of handling an order 工单处理规则, as data that an operator edits: suspensions, who may complete, what follows.

They are one entity of the directory. Until an operator has defined one, `SHIPPED` holds as version 0. A field is added
with the default that keeps what held before. A decision is made under the newest rules that its service knows.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts.access import Role
from contracts.directory import Names
from contracts.events import Urgency
from contracts.holders import Holder
from contracts.refusals import Forbidden

SUBJECT = "handling_rules"
"""The key of the rules: they are one entity with versions 1, 2, 3 …"""

OTHER = "other"
"""The reason of a suspension that names none."""


class Completer(StrEnum):
    """Who may complete an order 完成, within the work areas of their token."""

    ASSIGNED_STAFF = "assigned_staff"
    AREA_STAFF = "area_staff"
    LEAD = "lead"
    """A lead 工区负责人 of the order's work area."""
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspensionReason:
    """Why an order may be suspended 挂起原因."""

    code: str
    """What messages and requests name it by."""
    names: Names
    holder: Holder | None = None
    """Whose the time of such a suspension is 责任方; None: as shipped, the subscriber's or the house's."""
    is_active: bool = True
    """An inactive one keeps its names for the orders that have it, and is not taken any more."""

    @property
    def held_by(self) -> Holder:
        return self.holder or _SHIPPED_HOLDERS.get(self.code, Holder.HOUSE)


_SHIPPED_HOLDERS = {"subscriber": Holder.SUBSCRIBER, "no_access": Holder.SUBSCRIBER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What follows when an order is completed unresolved, or with a petition."""

    needs_audit: bool = True
    """It cannot be archived unless it was audited after its last completion."""
    tells_supervisor: bool = True
    """Supervisors are notified of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencySetters:
    """Who may create an order with an urgency 紧急程度, or amend it to that."""

    urgency: Urgency
    roles: tuple[Role, ...]


_URGENCY_SETTERS = (
    UrgencySetters(urgency=Urgency.URGENT, roles=(Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR, Role.PARTNER)),
    UrgencySetters(urgency=Urgency.EMERGENCY, roles=(Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR)),
)
_SUSPENSION_REASONS = (
    SuspensionReason(code="parts", names=Names("waiting for parts", "等待备件")),
    SuspensionReason(code="subscriber", names=Names("at the subscriber's wish", "用户要求")),
    SuspensionReason(code="no_access", names=Names("no access", "无法进入现场")),
    SuspensionReason(code="weather", names=Names("weather", "天气原因")),
    SuspensionReason(code="third_party", names=Names("waiting for others", "等待第三方")),
    SuspensionReason(code=OTHER, names=Names("other", "其他")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingRulesDefined:
    suspension_reasons: tuple[SuspensionReason, ...] = _SUSPENSION_REASONS
    """The reasons for which an order may be suspended 挂起原因."""
    longest_suspension_minutes: int = 30 * 24 * 60
    """Around the clock, of one suspension."""
    most_suspensions: int = 5
    """Of an order in its whole life."""
    completers: tuple[Completer, ...] = (Completer.ASSIGNED_STAFF, Completer.SUPERVISOR)
    """Who may complete an order 完成."""
    unresolved: Consequences = Consequences()
    """What follows when an order is completed and not resolved."""
    petitioned: Consequences = Consequences()
    """What follows when an order is completed with a petition 上访."""
    urgency_setters: tuple[UrgencySetters, ...] = _URGENCY_SETTERS
    """Who may set which urgency; one that is not named anybody may set who may create or amend orders."""
    late_report_minutes: int = 24 * 60
    """So long after a work area lost an order its staff, who may not know it yet, can report what happened since."""
    device_clock_tolerance_seconds: int = 120
    """So far the clock of a phone may be off without being corrected and flagged."""


SHIPPED = HandlingRulesDefined()


class UrgencyNotAllowed(Forbidden):
    """As {role:role} you may not set the urgency {urgency:urgency}; it may be set by: {allowed_roles:role}."""

    zh = "{role:role}不能将紧急程度设为“{urgency:urgency}”；可由以下角色设置：{allowed_roles:role}。"


def check_urgency(urgency: Urgency | None, role: str, rules: HandlingRulesDefined) -> None:
    """Raises `UrgencyNotAllowed`; None is not checked."""
    for setters in rules.urgency_setters:
        if setters.urgency is urgency and role not in setters.roles:
            roles = [allowed.value for allowed in setters.roles]
            raise UrgencyNotAllowed(role=role, urgency=setters.urgency.value, allowed_roles=roles)
