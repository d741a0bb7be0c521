"""Subscribers and order types over HTTP."""

import asyncio
from typing import Any

import pytest
from services.intake.tests.service import Intake

from contracts.directory import DemandTypeDefined, Names


async def change(intake: Intake, subscriber_id: str, body: dict[str, Any], version: int, **headers: str) -> Any:
    all_headers = intake.as_("agent", **{"if-match": f'"{version}"', **headers})
    return await intake.client.patch(f"/v1/subscribers/{subscriber_id}", json=body, headers=all_headers)


async def test_a_subscriber_is_changed_in_what_was_given_and_nothing_else(intake: Intake) -> None:
    before = await intake.subscriber("222", notes="two dogs", territory="beishan")
    answer = await change(intake, before["id"], {"phones": ["0555 12 34-56"], "territory": None}, 1)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == {**before, "version": 2, "phones": ["0555123456"], "territory": None}
    assert (await intake.get(f"/subscribers/{before['id']}")).json() == answer.json() | {"contacts": []}


async def test_of_many_changes_of_one_version_one_wins(intake: Intake) -> None:
    subscriber = await intake.subscriber("222")
    answers = await asyncio.gather(
        *(change(intake, subscriber["id"], {"notes": f"note {number}"}, 1) for number in range(8))
    )
    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer.json() for answer in answers if answer.status_code == 412]
    assert (len(won), len(lost)) == (1, 7)
    assert {(problem["code"], problem["expected_version"]) for problem in lost} == {("subscriber_changed", 1)}
    assert (await intake.get(f"/subscribers/{subscriber['id']}")).json() == won[0].json() | {"contacts": []}


async def test_a_change_needs_the_version_it_was_made_on(intake: Intake) -> None:
    subscriber = await intake.subscriber("222")
    answer = await intake.client.patch(
        f"/v1/subscribers/{subscriber['id']}", json={"notes": "x"}, headers=intake.as_("agent")
    )
    assert (answer.status_code, answer.json()["code"]) == (428, "version_required")
    assert (await change(intake, "nobody", {}, 1)).json()["code"] == "subscriber_id_not_found"


async def test_the_same_change_again_gets_the_same_answer(intake: Intake) -> None:
    subscriber = await intake.subscriber("222")
    answers = [await change(intake, subscriber["id"], {"notes": "x"}, 1, **{"idempotency-key": "k"}) for _ in range(2)]
    assert [answer.json()["version"] for answer in answers] == [2, 2]


async def test_a_subscriber_number_belongs_to_one_subscriber(intake: Intake) -> None:
    body = {"subscriber_no": "222", "name": "Zoë", "address": "Elm Street 1"}
    answers = await asyncio.gather(*(intake.post("/subscribers", body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.is_error} == {"subscriber_no_taken"}


async def test_the_same_registration_twice_at_once_gets_the_same_answer(intake: Intake) -> None:
    body, key = {"subscriber_no": "222", "name": "Zoë", "address": "Elm Street 1"}, {"idempotency-key": "s-1"}
    answers = await asyncio.gather(*(intake.post("/subscribers", body, **key) for _ in range(5)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"subscriber_no": "222"}, ["222"]),
        ({"phone": "0555-123456"}, ["222"]),
        ({"name": "100%"}, ["222"]),
        ({"name": "1"}, ["222"]),
        ({"name": "%"}, []),
        ({"name": "_00"}, []),
        ({"address": "Elm\\"}, ["222"]),
        ({"address": "elm"}, []),
        ({"name": "'; drop table subscribers; --"}, []),
        ({"kind": "hotel"}, ["222"]),
        ({"kind": "household"}, ["111"]),
        ({"notes": "夜间"}, ["222"]),
        ({"notes": "%"}, []),
        ({"kind": "hotel", "notes": "mat"}, []),
        ({}, ["111", "222"]),
    ],
)
async def test_subscribers_are_found_by_whatever_is_known_of_them(
    intake: Intake, params: dict[str, str], found: list[str]
) -> None:
    own = {"name": "100% Ltd", "address": "Elm\\Oak 1", "phones": ["0555 123456"]}
    await intake.subscriber("222", **own, kind="hotel", notes="前台夜间值班")
    items = (await intake.get("/subscribers", params=params)).json()["items"]
    assert [item["subscriber_no"] for item in items] == found


async def test_a_search_is_masked_by_role_and_paged(intake: Intake) -> None:
    await intake.subscriber("222")
    seen = (await intake.get("/subscribers", "auditor", params={"limit": 1})).json()
    assert seen["items"][0]["name"] == "王**"
    rest = (await intake.get("/subscribers", "auditor", params={"cursor": seen["next_cursor"]})).json()
    assert [item["subscriber_no"] for item in rest["items"]] == ["222"]
    assert (await intake.get("/subscribers", "auditor", params={"notes": "mat"})).json()["items"] == []
    assert (await intake.get("/subscribers", "technician", ["north"])).status_code == 403


async def test_an_order_type_is_defined_versioned_and_published(intake: Intake) -> None:
    for version, is_active in ((1, True), (2, False)):
        body = {"name_en": "repair", "name_zh": "报修", "is_active": is_active}
        answer = await intake.client.put("/v1/demand-types/repair", json=body, headers=intake.as_("operator"))
        assert answer.json() == {"code": "repair", "version": version, **body}
        message = (await intake.outbox())[-1]
        assert (message.subject, message.entity_version) == ("demand_type:repair", version)
        assert message.body == DemandTypeDefined(
            demand_type="repair", names=Names(en="repair", zh="报修"), is_active=is_active
        )
    listed = (await intake.get("/demand-types", "technician")).json()["items"]
    assert [item["code"] for item in listed] == ["repair", "test"]


async def test_one_order_type_defined_by_many_at_once_is_published_in_the_order_of_its_versions(
    intake: Intake,
) -> None:
    body = {"name_en": "repair", "name_zh": "报修"}
    await asyncio.gather(
        *(intake.client.put("/v1/device-types/tv", json=body, headers=intake.as_("supervisor")) for _ in range(10))
    )
    assert [message.entity_version for message in await intake.outbox()] == list(range(1, 11))


async def test_agents_do_not_edit_order_types(intake: Intake) -> None:
    body = {"name_en": "x", "name_zh": "x"}
    answer = await intake.client.put("/v1/device-types/x", json=body, headers=intake.as_("agent"))
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
