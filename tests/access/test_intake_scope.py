"""No route of intake tells a token of one area anything of another's orders, nor of what led to them or names them.

Beside its orders each area has a call that led to one of them, a difficult case, a referral, an article that settled
the call, and both areas' orders are linked to each other. Then everything is requested with every role of the south.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from tests.access.asking import NORTH, SOUTH, Route, World, every_route, world

from chassis.testing import Databases
from contracts.access import Reach
from contracts.lifecycle import Service, Status
from contracts.links import WorkOrderLinked
from work_orders.testing import published

_CALL = {"started_at": "2026-03-02T08:00:00Z", "ended_at": "2026-03-02T08:04:00Z"}
_ORDER = f"{{area}}-{Status.PROCESSING}"
_ARTICLE = {"title": "title", "body": "body"}
_SEES_EVERYTHING = "supervisor"


@dataclass
class Desk:
    """What there is of one area, by the names that paths have for it."""

    ids: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    @property
    def traces(self) -> list[str]:
        """What tells of the area: articles and subscribers belong to no area."""
        own = {name: value for name, value in self.ids.items() if name not in ("article_id", "subscriber_id")}
        return [*own.values(), *self.texts]


@dataclass
class Desks:
    made: World
    by_area: dict[str, Desk]

    async def post(self, path: str, body: Any, role: str = "agent") -> Any:
        headers = self.made.running.issuer.headers(role, sub="somebody-else")
        answer = await self.made.running.client.post(f"/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def settle(self, area: str) -> None:
        """A call that led to an order of the area, and everything that can follow of one."""
        desk, order_id = self.by_area[area], _ORDER.format(area=area)
        call_id = (await self.post("/calls", {**_CALL, "subscriber_no": f"{area}-subscriber_no"}))["id"]
        article_id = (await self.post("/articles", _ARTICLE, "supervisor"))["id"]
        desk.texts = [
            text.format(area=area) for text in ("content of {area}", "question of {area}", "reason of {area}")
        ]
        ways: list[dict[str, Any]] = [
            {"outcome": "open_order", "order_id": order_id, "reason": desk.texts[2]},
            {"outcome": "answered", "article_id": article_id},
            {"outcome": "department", "department": "x", "question": desk.texts[1]},
            {"outcome": "difficult_case", "content": desk.texts[0], "contact": "x", "reply_by": "2026-03-04T08:00:00Z"},
        ]
        *_, referral, case = [await self.post(f"/calls/{call_id}/settlements", how) for how in ways]
        link = {"kind": "follow_up", "other_order_id": f"{area}-{Status.DISPATCHED}", "reason": desk.texts[2]}
        link_id = (await self.post(f"/work-orders/{order_id}/links", link))["id"]
        desk.ids |= {"order_id": order_id, "call_id": call_id, "article_id": article_id, "link_id": link_id}
        desk.ids |= {"referral_id": referral["referral_id"], "case_id": case["case_id"]}
        desk.ids |= {"subscriber_id": f"{area}-subscriber_id", "request_id": self.made.requests[area][0]}

    async def tie(self) -> None:
        """Links an order of each area to one of the other."""
        north, south = (_ORDER.format(area=area) for area in (NORTH, SOUTH))
        reason = "reason of both"
        for one, other in ((north, south), (south, north)):
            body = {"kind": "duplicate" if one == north else "follow_up", "other_order_id": other, "reason": reason}
            link = await self.post(f"/work-orders/{one}/links", body)
            self.by_area[NORTH].texts.append(link["id"])
        self.by_area[NORTH].texts.append(reason)
        # An order's history tells of its links as well, once they have come back from the stream.
        rows = await self.made.running.rows("select * from outbox where aggregatetype = 'work-orders' order by id")
        notices = [one for one in map(published, rows) if isinstance(one.body, WorkOrderLinked)]
        await self.made.running.receive(*notices)

    def places(self, route: Route) -> Iterator[dict[str, str]]:
        """Each parameter of the path from either area."""
        names = [name for name in self.by_area[NORTH].ids if f"{{{name}}}" in route.path]
        for areas in product((SOUTH, NORTH), repeat=len(names)):
            yield {name: self.by_area[area].ids[name] for name, area in zip(names, areas, strict=True)}


@pytest.fixture
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    async with world(Service.INTAKE, databases, SOUTH, NORTH) as made:
        desks = Desks(made, {area: Desk() for area in (SOUTH, NORTH)})
        await made.running.rows("insert into order_types values ('demand', 'test', 1, 'test', '测试', true)")
        for area in (SOUTH, NORTH):
            await desks.settle(area)
        await desks.tie()
        yield desks


async def told(desks: Desks, route: Route, role: str, areas: list[str] | None, place: dict[str, str]) -> list[str]:
    """Which traces of the north are in the answer, besides what the caller said themselves."""
    headers = desks.made.running.issuer.headers(role, areas) | {"if-match": '"1"'}
    params = {"is_open": "true"} if route.path.endswith("cases") else {}
    answer = await desks.made.ask(route, route.filled(**place), headers, json=route.body(), params=params)
    said = str([*place.values(), route.body()])
    return [one for one in desks.by_area[NORTH].traces if one in answer.text and one not in said]


async def test_a_token_of_one_area_is_told_nothing_of_anothers_calls_cases_links_and_orders(desks: Desks) -> None:
    # What is read before what acts: an act may undo what a later question would have shown.
    routes = sorted(every_route(Service.INTAKE), key=lambda route: route.method != "GET")
    leaks, told_to_all = [], set()
    for route in routes:
        for place in desks.places(route):
            if route.method == "GET" and _SEES_EVERYTHING in (route.grants or {}):
                told_to_all.update(await told(desks, route, _SEES_EVERYTHING, None, place))
            for role, reach in (route.grants or {}).items():
                if reach is Reach.WHOLE:
                    continue
                if found := await told(desks, route, role, [SOUTH], place):
                    leaks.append(f"{route.row} {place} as {role} of {SOUTH}: {found}")
    assert leaks == []
    # A request is found by its own id alone, which does not count as told.
    assert told_to_all | {desks.by_area[NORTH].ids["request_id"]} == {*desks.by_area[NORTH].traces}
