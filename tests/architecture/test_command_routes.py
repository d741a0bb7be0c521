"""Acts on orders keep the shape of a command: a parameter of another kind would slow each of them unnoticed."""

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from chassis.command_route import CommandRoute, shape_of
from dispatch import api as dispatch
from fieldwork.orders import api as fieldwork
from intake.orders import api as intake
from qa import api as qa

ROUTERS = {"intake": intake.router, "dispatch": dispatch.router, "fieldwork": fieldwork.router, "qa": qa.router}


@pytest.mark.parametrize("router", ROUTERS.values(), ids=ROUTERS)
def test_every_act_on_an_order_has_the_shape_of_a_command(router: APIRouter) -> None:
    acts = [route for route in router.routes if isinstance(route, APIRoute) and route.methods == {"POST"}]
    assert acts
    assert [act.path for act in acts if not isinstance(act, CommandRoute) or shape_of(act.endpoint) is None] == []
