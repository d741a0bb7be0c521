"""Submitting and archiving many orders at once over HTTP."""

from fastapi import APIRouter

from chassis.command_route import CommandRoute
from chassis.problems import Responses
from qa import use_cases
from work_orders.bulk import BULK_REFUSALS, BulkAct, BulkAnswer, carry_out
from work_orders.routes import CommandContext

router = APIRouter(prefix="/v1/bulk", tags=["work orders"], route_class=CommandRoute)


@router.post("/submit-for-audit", responses=Responses.of(BULK_REFUSALS))
async def bulk_submit_for_audit(body: BulkAct, context: CommandContext) -> BulkAnswer:
    """Submits each completed order for audit 批量审核, answered row by row."""
    return await carry_out(context, body.rows, lambda row, uow: use_cases.submit_for_audit(row.order_id, uow=uow))


@router.post("/archive", responses=Responses.of(BULK_REFUSALS))
async def bulk_archive(body: BulkAct, context: CommandContext) -> BulkAnswer:
    """Closes each completed order for good 批量归档, answered row by row."""
    return await carry_out(context, body.rows, lambda row, uow: use_cases.archive_work_order(row.order_id, uow=uow))
