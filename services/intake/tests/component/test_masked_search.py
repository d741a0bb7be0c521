"""What a role sees masked it cannot search by: two subscribers who look the same masked are the same to it.

The subscriber's data are exchanged for others with the same mask. Whoever sees them masked gets, from every query
parameter of every reading route and from the search for duplicates, the very same answers before and after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from services.intake.tests.component.test_areas import dispatched
from services.intake.tests.component.test_desk import logged
from services.intake.tests.service import Intake

from contracts import events as e
from contracts.lifecycle import Service

FIRST = {"name": "Zoë Muster", "phone": "+8613911112222", "address": "Elm Street 12, second floor", "notes": "key, mat"}
SECOND = {"name": "Zacharias.", "phone": "+8618655550022", "address": "Elm St. Anna 9, at the back", "notes": "dog"}
SEES: dict[str, set[str]] = {"auditor": set(), "dispatcher": {"address"}, "technician": set(), "agent": {*FIRST}}
GUESSES = [
    *(FIRST["name"][:length] for length in (1, 2, 3, len(FIRST["name"]))),
    *(FIRST["address"][:length] for length in (1, 7, 8, len(FIRST["address"]))),
    *(FIRST["phone"], FIRST["phone"][:7], FIRST["phone"].removeprefix("+86")),
    *(FIRST["notes"], FIRST["notes"][:3], "household"),
]
Answers = dict[tuple[str, str, str], str]


@dataclass(frozen=True)
class World:
    intake: Intake
    person: dict[str, Any]
    paths: dict[str, str]
    """Ids by the names that paths have for them."""

    async def exchange(self, data: dict[str, str], keeping: set[str]) -> None:
        """Gives the subscriber and their call other data, but for what the role sees."""
        values = {name: FIRST[name] if name in keeping else text for name, text in data.items()}
        async with self.intake.db.statements() as statements:
            await statements.execute(
                "update subscribers set name = $2, phones = array[$3], address = $4, notes = $5 where id = $1",
                self.person["id"],
                *(values[name] for name in ("name", "phone", "address", "notes")),
            )
            await statements.execute("update calls set caller = $1", values["phone"])

    def questions(self, role: str) -> Iterator[tuple[str, str]]:
        """Every text that a reading route of the role takes as a query parameter: path and name."""
        for path, operations in self.intake.app.openapi()["paths"].items():
            grants = self.intake.app.state.access.get(f"GET {path}") or {}
            for one in operations["get"].get("parameters", []) if role in grants else ():
                if one["in"] == "query" and takes_text(one["schema"]):
                    yield path.format(**{"request_id": "none", **self.paths}), one["name"]

    async def answers(self, role: str) -> Answers:
        areas = ["south"] if role == "technician" else None
        headers, found = self.intake.as_(role, areas), {}
        for path, name in self.questions(role):
            for guess in GUESSES:
                answer = await self.intake.client.get(path, params={name: guess}, headers=headers)
                found[path, name, guess] = stripped(answer)
        for number in ("222", "333"):
            body = {"subscriber_no": number, "demand_type": "test"}
            answer = await self.intake.client.post("/v1/duplicate-checks", json=body, headers=headers)
            found["/v1/duplicate-checks", "subscriber_no", number] = stripped(answer)
        return found


def takes_text(schema: dict[str, Any]) -> bool:
    options = schema.get("anyOf", [schema])
    return any(one.get("type") == "string" and not {"enum", "format"} & one.keys() for one in options)


def stripped(answer: Any) -> str:
    """An answer without what is another every time."""
    said = answer.json()
    for order in said.get("items", ()) if isinstance(said, dict) else ():
        order.pop("clocks", None)  # they run
    return str({name: said[name] for name in ("code", "status")} if answer.is_error else said)


@pytest.fixture
async def world(intake: Intake) -> World:
    """A subscriber with an order that is with nobody in the field, a call, and a neighbour with the same number."""
    phones = {"phones": [FIRST["phone"]]}
    await intake.subscriber("333", name="Neighbour", address="Elsewhere", **phones)
    person = await intake.subscriber("222", **{name: FIRST[name] for name in ("name", "address", "notes")}, **phones)
    order_id = await dispatched(intake, "south", subscriber_no="222")
    await dispatched(intake, "south", subscriber_no="333")
    rejected = e.WorkOrderRejected(reason=e.RejectionReason.OTHER, explanation="x")
    await intake.happens(order_id, Service.FIELDWORK, rejected)
    call = await logged(intake, phone=FIRST["phone"], subscriber_no="222")
    article = (await intake.post("/articles", {"title": "t", "body": "b"}, "supervisor")).json()
    partner = {"name_en": "x", "name_zh": "x"}
    await intake.client.put("/v1/partners/pbx", json=partner, headers=intake.as_("operator"))
    ids = {"order_id": order_id, "call_id": call["id"], "article_id": article["id"], "subscriber_id": person["id"]}
    return World(intake, person, {**ids, "kind": "device", "partner_id": "pbx"})


@pytest.mark.parametrize("role", ["auditor", "dispatcher", "technician"])
async def test_who_sees_a_subscriber_masked_cannot_tell_them_from_another_with_the_same_mask(
    world: World, role: str
) -> None:
    first = await world.answers(role)
    await world.exchange(SECOND, keeping=SEES[role])
    second = await world.answers(role)
    assert {where for where in first if first[where] != second[where]} == set()


async def test_who_sees_a_subscriber_whole_can_tell(world: World) -> None:
    first = await world.answers("agent")
    await world.exchange(SECOND, keeping=set())
    second = await world.answers("agent")
    told = {where[:2] for where in first if first[where] != second[where]}
    searched = {("/v1/subscribers", name) for name in FIRST} | {("/v1/calls", "phone"), ("/v1/work-orders", "phone")}
    assert searched | {("/v1/screen-pop", "phone"), ("/v1/duplicate-checks", "subscriber_no")} <= told


async def spelled_out(intake: Intake, role: str, field: str) -> str:
    """As much of a value as a caller finds out by searching with one letter more at a time."""
    # A blank at an end is left out of what is searched for, so it comes with the letter behind it.
    letters, found = sorted({*FIRST[field]} - {" "}), ""
    while True:
        for letter in [*letters, *(f" {letter}" for letter in letters)]:
            page = (await intake.get("/subscribers", role, params={field: found + letter, "kind": "household"})).json()
            if any(one["subscriber_no"] == "222" for one in page["items"]):
                found += letter
                break
        else:
            return found


async def test_a_name_is_not_spelled_out_by_searching(world: World) -> None:
    for field in ("name", "address"):
        whole = {role: await spelled_out(world.intake, role, field) for role in ("agent", "dispatcher", "auditor")}
        assert whole == {role: FIRST[field] if field in SEES[role] else "" for role in whole}


async def test_a_search_that_is_not_made_says_so(world: World) -> None:
    async def not_searched(path: str, role: str, **params: str) -> list[str]:
        page = (await world.intake.get(path, role, params=params)).json()
        assert page["items"] == []
        return page["not_searched"]

    assert await not_searched("/subscribers", "auditor", **FIRST) == ["phone", "name", "address", "notes"]
    assert await not_searched("/subscribers", "dispatcher", **FIRST) == ["phone", "name", "notes"]
    assert await not_searched("/subscribers", "agent", name="nobody") == []
    assert await not_searched("/calls", "auditor", phone=FIRST["phone"]) == ["phone"]
    assert await not_searched("/work-orders", "dispatcher", phone=FIRST["phone"]) == ["phone"]


async def test_a_technician_looks_orders_up_by_the_phones_that_they_see(world: World) -> None:
    async def found(areas: list[str], **params: Any) -> list[str]:
        page = await world.intake.get("/work-orders", "technician", areas, params={**params, "phone": FIRST["phone"]})
        return [one["subscriber_no"] for one in page.json()["items"]]

    # Both subscribers have the number; the order of 222 is not with the people in the field any more.
    assert await found(["south"]) == ["333"]
    assert await found(["south"], status=["dispatched", "rejected"]) == ["333"]
    assert await found(["south"], status=["rejected"]) == []
    assert await found(["north"]) == await found([]) == []
