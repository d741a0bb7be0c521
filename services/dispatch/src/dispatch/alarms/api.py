"""Alarms of time limits 预警、超时、升级 over HTTP, and the ladder that they climb."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from chassis.field_types import Body, Line
from chassis.paging import CursorBroken
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.calendar import Hours
from contracts.escalation import AlarmChannel, EscalationRulesDefined, EscalationStep, Receiver
from contracts.events import SlaClock
from dispatch.alarms import use_cases, views
from dispatch.alarms.ladder import REFUSALS
from dispatch.alarms.store import EscalationRules
from dispatch.alarms.use_cases import AlarmNotFound
from dispatch.alarms.views import Alarm, AlarmPage, AlarmState, EscalationRulesNotFound
from dispatch.api_calendars import HoursBody
from work_orders.routes import ANY, Cursor, Limit, OrderId

router = APIRouter(prefix="/v1", tags=["alarms"])
_MOST_MINUTES = 100_000


class EscalationStepBody(Body):
    minutes: int = Field(
        ge=-_MOST_MINUTES,
        le=_MOST_MINUTES,
        description="After the due time, around the clock: below zero warns, zero is the breach, above it escalates.",
    )
    tell: list[Receiver] = Field(min_length=1, max_length=len(Receiver), description="Who is notified.")
    channels: list[AlarmChannel] = Field(
        [AlarmChannel.APPLICATION],
        min_length=1,
        max_length=len(AlarmChannel),
        description="By which channels they are notified.",
    )
    clock: SlaClock | None = Field(
        None, description="A clock with steps of its own has no others; null: of every clock without."
    )

    def step(self) -> EscalationStep:
        tell, channels = tuple(dict.fromkeys(self.tell)), tuple(dict.fromkeys(self.channels))
        return EscalationStep(minutes=self.minutes, tell=tell, channels=channels, clock=self.clock)


class EscalationRulesBody(Body):
    steps: list[EscalationStepBody] = Field(max_length=200, description="The ladder, in any order.")
    warning_hours: list[HoursBody] = Field(
        [], max_length=10, description="Warnings wait for these hours of the day; empty: any. Breaches never wait."
    )
    time_zone: Line = Field("Asia/Shanghai", description="Whose hours they are.")

    def rules(self) -> EscalationRulesDefined:
        return EscalationRulesDefined(
            steps=tuple(one.step() for one in self.steps),
            warning_hours=tuple(Hours(**one.model_dump()) for one in self.warning_hours),
            time_zone=self.time_zone,
        )


Version = Annotated[int, Path(ge=0, le=1_000_000, description="0 is what was shipped.")]


@router.get("/alarms", responses=Responses.of((*ANY, CursorBroken)))
async def list_alarms(
    context: Context,
    state: Annotated[AlarmState | None, Query(description="Only these; all without.")] = None,
    clock: Annotated[SlaClock | None, Query(description="Only of this clock.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AlarmPage:
    """Alarms of time limits within the caller's areas, the newest first."""
    areas = context.caller.areas
    return await views.list_alarms(context.db, state=state, clock=clock, areas=areas, cursor=cursor, limit=limit)


@router.post("/alarms/{alarm_id}/acknowledge", responses=Responses.of((*ANY, AlarmNotFound)))
async def acknowledge_alarm(alarm_id: OrderId, context: Context) -> Alarm:
    """Says that the alarm was seen. Who did so first stays; said again it changes nothing."""
    await use_cases.acknowledge_alarm(alarm_id, uow=context.uow)
    return await views.get_alarm(context.db, alarm_id)


@router.get("/escalation-rules", responses=Responses.of(ANY))
async def get_escalation_rules(context: Context) -> EscalationRules:
    """The present ladder 升级规则; version 0 is what was shipped."""
    return await views.get_escalation_rules(context.db)


@router.get("/escalation-rules/{version}", responses=Responses.of((*ANY, EscalationRulesNotFound)))
async def get_escalation_rules_at(version: Version, context: Context) -> EscalationRules:
    """The ladder as a version had it."""
    return await views.get_escalation_rules(context.db, version)


@router.put("/escalation-rules", responses=Responses.of((*ANY, *REFUSALS)))
async def set_escalation_rules(body: EscalationRulesBody, context: Context) -> EscalationRules:
    """Defines the ladder as a whole. Steps of it that are due and higher than what fired for a due time fire at once;
    unchanged rules make no new version."""
    await use_cases.set_escalation_rules(body.rules(), uow=context.uow)
    return await views.get_escalation_rules(context.db)
