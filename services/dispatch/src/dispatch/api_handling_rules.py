"""The rules of handling orders 工单处理规则 over HTTP: one entity, of which each version stays readable."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from chassis.field_types import Body, Code, Line
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.access import Role
from contracts.directory import Names
from contracts.events import Urgency
from contracts.handling import Completer, Consequences, SuspensionReason, UrgencySetters
from contracts.holders import Holder
from dispatch import use_cases, views
from dispatch.domain.handling_rules import REFUSALS
from work_orders.handling_rules import HandlingRules
from work_orders.routes import ANY

router = APIRouter(prefix="/v1/handling-rules", tags=["rules"])


class SuspensionReasonBody(Body):
    code: Code
    name_en: Line
    name_zh: Line
    holder: Holder | None = Field(None, description="Whose the time of such a suspension is 责任方; null: as shipped.")
    is_active: bool = True

    def reason(self) -> SuspensionReason:
        names = Names(en=self.name_en, zh=self.name_zh)
        return SuspensionReason(code=self.code, names=names, holder=self.holder, is_active=self.is_active)


class ConsequencesBody(Body):
    needs_audit: bool
    tells_supervisor: bool

    def consequences(self) -> Consequences:
        return Consequences(**self.model_dump())


class UrgencySettersBody(Body):
    urgency: Urgency
    roles: list[Role] = Field(max_length=8)

    def setters(self) -> UrgencySetters:
        return UrgencySetters(urgency=self.urgency, roles=tuple(self.roles))


class HandlingRulesBody(Body):
    """What is left out, or null, stays as it is."""

    suspension_reasons: list[SuspensionReasonBody] | None = Field(
        None, max_length=100, description="Once defined, a reason is made inactive and not left out."
    )
    longest_suspension_minutes: int | None = Field(None, ge=1, le=1_000_000, description="Of one suspension.")
    most_suspensions: int | None = Field(None, ge=0, le=1000, description="Of an order in its whole life.")
    completers: list[Completer] | None = Field(None, min_length=1, max_length=20)
    unresolved: ConsequencesBody | None = Field(None, description="Of a completion that did not resolve it.")
    petitioned: ConsequencesBody | None = Field(None, description="Of a completion with a petition 上访.")
    urgency_setters: list[UrgencySettersBody] | None = Field(
        None, max_length=3, description="Who may set which urgency; one that is left out anybody may set."
    )
    late_report_minutes: int | None = Field(
        None, ge=0, le=100_000, description="So long after an area lost an order its staff report what happened since."
    )
    device_clock_tolerance_seconds: int | None = Field(
        None, ge=1, le=86_400, description="So far a phone's clock may be off without being corrected and flagged."
    )

    def changes(self) -> dict[str, Any]:
        """The fields that are to change, as the rules have them."""
        return {name: _ruled(value) for name in type(self).model_fields if (value := getattr(self, name)) is not None}


def _ruled(value: Any) -> Any:
    match value:
        case list():
            return tuple(map(_ruled, value))
        case SuspensionReasonBody():
            return value.reason()
        case ConsequencesBody():
            return value.consequences()
        case UrgencySettersBody():
            return value.setters()
        case _:
            return value


Version = Annotated[int, Path(ge=0, le=1_000_000, description="0 is what was shipped.")]


@router.get("", responses=Responses.of(ANY))
async def get_handling_rules(context: Context) -> HandlingRules:
    """The present rules of handling orders; version 0 is what was shipped."""
    return await views.get_handling_rules(context.db)


@router.get("/{version}", responses=Responses.of((*ANY, views.HandlingRulesNotFound)))
async def get_handling_rules_at(version: Version, context: Context) -> HandlingRules:
    """The rules as a version had them."""
    return await views.get_handling_rules(context.db, version)


@router.put("", responses=Responses.of((*ANY, *REFUSALS)))
async def set_handling_rules(body: HandlingRulesBody, context: Context) -> HandlingRules:
    """Changes the given fields and publishes the rules to every service; later decisions are made under the new
    rules. Unchanged rules make no new version."""
    await use_cases.set_handling_rules(body.changes(), uow=context.uow)
    return await views.get_handling_rules(context.db)
