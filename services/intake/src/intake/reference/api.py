"""Lists of device and demand types over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from chassis.field_types import Body, Code, Line
from chassis.problems import Responses
from chassis.request_context import Context
from intake.reference import store, use_cases
from intake.reference.domain import OrderType
from work_orders.routes import ANY

router = APIRouter(prefix="/v1", tags=["order types"])


class OrderTypeDefinition(Body):
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
    async with context.db.statements() as statements:
        items = await store.order_types(statements, kind)
    return OrderTypes.model_validate({"items": items}, from_attributes=True)


@router.put("/{kind}-types/{code}", responses=Responses.of(ANY))
async def define_order_type(kind: Kind, code: Code, body: OrderTypeDefinition, context: Context) -> DefinedOrderType:
    """Adds a type to the list or changes it; `is_active: false` keeps it for old orders only."""
    defined = await use_cases.define_order_type(kind, OrderType(code, **body.model_dump()), uow=context.uow)
    return DefinedOrderType.model_validate(defined, from_attributes=True)
