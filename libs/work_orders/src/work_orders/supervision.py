"""Answering a supervision 督办: the same decision, command and route in every service that holds orders."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from chassis.command_route import CommandRoute
from chassis.commands import Reply
from chassis.field_types import Prose
from chassis.problems import Responses
from contracts.events import WorkOrderSupervisionAnswered
from contracts.lifecycle import Act
from contracts.order import WorkOrder
from contracts.refusals import Conflict
from work_orders.routes import ACT_REFUSALS, ActBody, CommandContext, OrderId
from work_orders.sealing import WorkOrderShown
from work_orders.unit_of_work import OrderUnitOfWork


class NoOpenSupervision(Conflict):
    """No supervision of this order is open."""

    zh = "该工单没有待答复的督办。"


class SupervisionAnswer(ActBody):
    answer: Prose


def answer_supervision(order: WorkOrder, answer: str) -> WorkOrderSupervisionAnswered:
    """Answers the oldest supervision that is open."""
    order.advance(Act.ANSWER_SUPERVISION)
    if (supervision := order.open_supervision) is None:
        raise NoOpenSupervision()
    return WorkOrderSupervisionAnswered(supervision_id=supervision.request_id, answer=answer)


async def record_supervision_answer(order_id: str, answer: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(answer_supervision(command.order, answer), name="answer_supervision")
    return command.reply


router = APIRouter(prefix="/v1", tags=["work orders"], route_class=CommandRoute)


@router.post(
    "/work-orders/{order_id}/supervision-answers",
    response_model=WorkOrderShown,
    responses=Responses.of((*ACT_REFUSALS, NoOpenSupervision)),
)
async def answer_open_supervision(
    order_id: OrderId, body: Annotated[SupervisionAnswer, Body()], context: CommandContext
) -> Response:
    """Answers the supervisor 答复督办, of several supervisions the oldest that is open. Who holds the order answers."""
    return (await record_supervision_answer(order_id, body.answer, uow=context.uow.at(body.occurred_at))).response()
