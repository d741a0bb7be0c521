"""What the field reports over HTTP: needs no version, and is refused by no status of the order."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from chassis.command_route import CommandRoute
from chassis.field_types import Code, Line, Moment, Prose
from chassis.problems import Responses
from contracts.facts import WorkOrderDeparted, WorkOrderEtaRevised, WorkOrderPartUsed, WorkOrderReadingTaken
from fieldwork.facts import use_cases
from fieldwork.facts.domain import reports
from fieldwork.facts.domain.reports import FieldReport
from work_orders.facts_api import FactBody
from work_orders.facts_views import OrderFact
from work_orders.http import answered
from work_orders.routes import FACT_REFUSALS, CommandContext, OrderId
from work_orders.sealing import WorkOrderShown

router = APIRouter(prefix="/v1", tags=["reports of the field"], route_class=CommandRoute)

_REFUSALS = Responses.of((*FACT_REFUSALS, reports.BeforeTheOrder, reports.OrderLetGo))
_OF_A_FACT: Mapping[str, Any] = {"response_model": OrderFact, "status_code": 201, "responses": _REFUSALS}
_OF_AN_EVENT: Mapping[str, Any] = {
    "response_model": WorkOrderShown,
    "responses": {
        **_REFUSALS,
        200: {"description": "The order, which the report has moved."},
        201: {"model": OrderFact, "description": "The order could not take it; a fact stands beside the order."},
    },
}

Number = Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$", description="A decimal number.")]
Amount = Annotated[
    str,
    Field(
        pattern=r"^(0\.[0-9]{0,5}[1-9][0-9]{0,5}|[1-9][0-9]{0,11}(\.[0-9]{1,6})?)$",
        description="A decimal number above 0, such as `12.5`.",
    ),
]
Unit = Annotated[Line, Field(max_length=20)]


class ReportBody(FactBody):
    """A report of the field, which knows what it says."""

    @abstractmethod
    def report(self) -> FieldReport: ...


class AcceptBody(ReportBody):
    def report(self) -> FieldReport:
        return reports.acceptance()


class ContactBody(ReportBody):
    note: Prose | None = Field(None, description="What came of it.")

    def report(self) -> FieldReport:
        return reports.contact(self.note)


class ArriveBody(ReportBody):
    place: Prose | None = Field(None, description="Where, as the device or the person says.")

    def report(self) -> FieldReport:
        return reports.arrival(self.place)


class NoteBody(ReportBody):
    note: Prose

    def report(self) -> FieldReport:
        return reports.note(self.note)


class DepartBody(ReportBody):
    def report(self) -> FieldReport:
        return FieldReport(fact=WorkOrderDeparted())


class EtaBody(ReportBody):
    expected_at: Moment = Field(description="When staff expect to be on site.")
    reason: Prose

    def report(self) -> FieldReport:
        return FieldReport(fact=WorkOrderEtaRevised(expected_at=self.expected_at, reason=self.reason))


class ReadingBody(ReportBody):
    quantity: Code = Field(description="What was measured, by the code that operators use, such as `signal_level`.")
    value: Number
    unit: Unit | None = Field(None, description="Such as `dBmV`.")

    def report(self) -> FieldReport:
        return FieldReport(fact=WorkOrderReadingTaken(quantity=self.quantity, value=self.value, unit=self.unit))


class PartBody(ReportBody):
    part_no: Code = Field(description="The number of the part in the store.")
    count: Amount
    unit: Unit | None = Field(None, description="Such as `m`; pieces without it.")

    def report(self) -> FieldReport:
        return FieldReport(fact=WorkOrderPartUsed(part_no=self.part_no, count=self.count, unit=self.unit))


async def _take(order_id: str, body: ReportBody, context: CommandContext) -> Response:
    reply = await use_cases.report(order_id, body.report(), uow=context.uow.at(body.occurred_at))
    return await answered(reply, context.request)


@router.post("/work-orders/{order_id}/accept", **_OF_AN_EVENT)
async def accept_work_order(order_id: OrderId, body: AcceptBody, context: CommandContext) -> Response:
    """Somebody of the work area will see to it 接单, which stops the clock of the acceptance."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/contact", **_OF_AN_EVENT)
async def contact_subscriber(order_id: OrderId, body: ContactBody, context: CommandContext) -> Response:
    """The subscriber was contacted 联系用户; the first time stops the clock of the contact."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/arrive", **_OF_AN_EVENT)
async def arrive_at_work(order_id: OrderId, body: ArriveBody, context: CommandContext) -> Response:
    """Somebody is on site 到达, which stops the clock of the arrival. `occurred_at` is the time of their device."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/notes", **_OF_AN_EVENT)
async def add_note(order_id: OrderId, body: NoteBody, context: CommandContext) -> Response:
    """Adds a note for later readers of the order."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/depart", **_OF_A_FACT)
async def depart_for_work(order_id: OrderId, body: DepartBody, context: CommandContext) -> Response:
    """Staff are on their way 出发."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/eta", **_OF_A_FACT)
async def revise_eta(order_id: OrderId, body: EtaBody, context: CommandContext) -> Response:
    """Staff expect to be on site at another time 预计到达, and say why; the latest counts."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/readings", **_OF_A_FACT)
async def take_reading(order_id: OrderId, body: ReadingBody, context: CommandContext) -> Response:
    """What an instrument or a meter showed 读数."""
    return await _take(order_id, body, context)


@router.post("/work-orders/{order_id}/parts", **_OF_A_FACT)
async def use_part(order_id: OrderId, body: PartBody, context: CommandContext) -> Response:
    """A part that was used 用料."""
    return await _take(order_id, body, context)
