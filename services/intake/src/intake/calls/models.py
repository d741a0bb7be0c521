"""What the routes of calls take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import fastapi
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Line, Moment, PastMoment, Prose, Reference
from contracts.calls import CallOutcome, Direction
from contracts.events import Channel
from contracts.sealing import SealedText
from intake.orders.models import CreateWorkOrder
from intake.outages.views import OutageShown
from intake.subscribers.models import NOT_SEARCHED, Phone
from intake.subscribers.views import SubscriberOfOrder
from work_orders.sealing import WorkOrderShown

Optional: TypeAlias = Line | Literal[""]
OptionalProse: TypeAlias = Prose | Literal[""]


class LogCall(Body):
    direction: Direction = Direction.INBOUND
    channel: Channel = Channel.PHONE
    started_at: PastMoment
    ended_at: PastMoment
    phone: Phone | None = None
    subscriber_no: Reference | None = None
    demand_type: Code | None = None


class ShownCall(BaseModel):
    id: str
    partner_id: str | None
    reference: str | None
    direction: str
    channel: str
    state: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    queue: str | None
    agent_id: str | None
    earlier_agent_ids: list[str]
    earlier_queues: list[str]
    team: str | None
    line: str | None
    phone: str | None
    wait_milliseconds: int | None
    talk_milliseconds: int | None
    subscriber_id: str | None
    subscriber_no: str | None
    demand_type: str | None


class CallPage(BaseModel):
    items: list[ShownCall]
    next_cursor: str | None
    not_searched: list[str] = NOT_SEARCHED


class RecordOfCall(Body):
    """The call record 呼入 / 呼出记录; what is left out is empty."""

    organisation: Optional = ""
    caller_name: Optional = ""
    caller_position: Optional = ""
    answered_by: Optional = Field("", description="The number that answered.")
    content: OptionalProse = ""
    remark: OptionalProse = ""
    handling_opinion: OptionalProse = Field("", description="Of an outbound call.")


class WrittenRecord(RecordOfCall):
    version: int
    call_id: str
    sealed_text: SealedText | None = None


class Settlement(BaseModel):
    id: str
    call_id: str
    outcome: CallOutcome
    article_id: str | None
    order_id: str | None
    order_was_open: bool
    referral_id: str | None
    case_id: str | None
    settled_by: str
    settled_at: datetime


class FactOfCall(BaseModel):
    fact_id: str
    type: str
    occurred_at: datetime
    received_at: datetime
    revision: int
    data: dict[str, Any]


class WholeCall(ShownCall):
    record: WrittenRecord | None
    settlements: list[Settlement]
    facts: list[FactOfCall]


class Classification(Body):
    subscriber_no: Reference | None = None
    demand_type: Code | None = None


class AnsweredAtOnce(Body):
    outcome: Literal["answered"]
    article_id: Code | None = Field(None, description="Left out: the agent's own knowledge.")


class ByNewOrder(Body):
    outcome: Literal["work_order"]
    order: CreateWorkOrder
    outage_id: Code | None = Field(None, description="The outage that the caller is inside: the order links to it.")


class ByOpenOrder(Body):
    outcome: Literal["open_order"]
    order_id: Code
    reason: Prose


class ByDepartment(Body):
    outcome: Literal["department"]
    department: Line
    question: Prose


class AsDifficultCase(Body):
    outcome: Literal["difficult_case"]
    content: Prose
    contact: Line
    reply_by: Moment


Settling = Annotated[
    AnsweredAtOnce | ByNewOrder | ByOpenOrder | ByDepartment | AsDifficultCase, fastapi.Body(discriminator="outcome")
]


class Text(Body):
    text: Prose


class Promise(Body):
    reply_by: Moment


class Case(BaseModel):
    id: str
    version: int
    call_id: str
    content: str
    contact: str
    reply_by: datetime
    opened_by: str
    promised_by: str | None = Field(None, description="Who is warned: who gave the present promise.")
    opened_at: datetime
    warned_at: datetime | None
    overdue_at: datetime | None
    reply: str | None
    replied_by: str | None
    replied_at: datetime | None
    sealed_text: SealedText | None = None


class CasePage(BaseModel):
    items: list[Case]
    next_cursor: str | None


class Referral(BaseModel):
    id: str
    call_id: str
    department: str
    question: str
    asked_by: str
    asked_at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None
    sealed_text: SealedText | None = None


class ReferralPage(BaseModel):
    items: list[Referral]
    next_cursor: str | None


class ScreenPop(BaseModel):
    subscribers: list[SubscriberOfOrder]
    open_orders: list[WorkOrderShown]
    last_calls: list[ShownCall]
    open_cases: list[Case]
    outages: list[OutageShown]
