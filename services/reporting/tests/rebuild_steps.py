"""Rebuilds as tests run them: asked for by an operator, carried out step by step."""

from typing import Any

from contracts.message import Actor
from reporting.rebuilds import store, use_cases
from reporting.rebuilds.rebuilding import take_step
from work_orders.testing import ServiceUnderTest


def uow_of(reporting: ServiceUnderTest, actor: Actor = Actor("operator-1", "operator")) -> Any:
    return reporting.app.state.unit_of_work(actor)


async def request(reporting: ServiceUnderTest) -> Any:
    return await use_cases.request_rebuild(uow=uow_of(reporting))


async def switch(reporting: ServiceUnderTest, rebuild_id: int, *, accepts_differences: bool = False) -> Any:
    return await use_cases.switch_to_rebuild(rebuild_id, accepts_differences=accepts_differences, uow=uow_of(reporting))


async def finish(reporting: ServiceUnderTest) -> None:
    while await take_step(reporting.db):
        pass


async def get(reporting: ServiceUnderTest, rebuild_id: int) -> Any:
    async with reporting.db.statements() as statements:
        return await store.get_rebuild(statements, rebuild_id)
