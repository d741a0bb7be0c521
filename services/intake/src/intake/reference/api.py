"""Lists of device and demand types over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from chassis.field_types import Code, Line
from chassis.problems import Responses
from chassis.request_context import Context
from intake.reference import use_cases, views
from intake.reference.store import OrderType
from work_orders.routes import ANY

router = APIRouter(prefix="/v1", tags=["order types"])


class OrderTypeDefinition(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name_en: Line
    name_zh: Line
    is_active: bool = True


class DefinedOrderType(BaseModel):
    code: str
    name_en: str
    name_zh: str
    is_active: bool
    version: int


class OrderTypes(BaseModel):
    items: list[DefinedOrderType]


Kind = Annotated[Literal["device", "demand"], Path()]


@router.get("/{kind}-types", responses=Responses.of(ANY))
async def list_order_types(kind: Kind, context: Context) -> OrderTypes:
    """The device types 设备类型 or demand types 需求类型, with their names in both languages."""
    return OrderTypes.model_validate({"items": await views.order_types(context.db, kind)}, from_attributes=True)


@router.put("/{kind}-types/{code}", responses=Responses.of(ANY))
async def define_order_type(kind: Kind, code: Code, body: OrderTypeDefinition, context: Context) -> DefinedOrderType:
    """Adds a type to the list or changes it; `is_active: false` keeps it for old orders only."""
    defined = await use_cases.define_order_type(
        kind,
        OrderType(code, **body.model_dump()),
        context.caller.actor,
        db=context.db,
        clock=context.clock,
        wakeup=context.wakeup,
    )
    return DefinedOrderType.model_validate(defined, from_attributes=True)
