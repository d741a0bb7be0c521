"""Numbers and names have one spelling; look-alikes are told apart and shown as such."""

from typing import Any

from services.intake.tests.service import Intake

from contracts.look_alikes import TABLE, skeleton
from contracts.plain_text import plain_reference


async def find(intake: Intake, **params: Any) -> list[str]:
    answer = await intake.get("/subscribers", params=params)
    return [item["subscriber_no"] for item in answer.json()["items"]]


async def test_what_is_typed_in_full_width_or_with_invisible_characters_is_stored_plain(intake: Intake) -> None:
    body = {
        "subscriber_no": "２\u200b２２",
        "name": "王\u202e强",
        "phones": ["０５５５１２３４５６"],
        "address": "人民路１２号",
    }
    stored = (await intake.post("/subscribers", body)).json()
    assert (stored["subscriber_no"], stored["name"], stored["phones"], stored["address"]) == (
        "222",
        "王强",
        ["0555123456"],
        "人民路12号",
    )
    assert (await intake.post("/subscribers", body | {"subscriber_no": "222"})).json()["code"] == "subscriber_no_taken"


SEARCHES = [
    {"subscriber_no": "２２２"},
    {"subscriber_no": "22\u200b2"},
    {"name": "王\u200b强"},
    {"address": "人民路１２"},
    {"phone": "０５５５－１２３４５６"},
]


async def test_a_search_is_in_the_spelling_of_what_is_stored(intake: Intake) -> None:
    await intake.subscriber("222", name="王强", address="人民路12号", phones=["0555123456"])
    for params in SEARCHES:
        assert await find(intake, **params) == ["222"], params


async def test_a_number_that_was_stored_before_is_found_and_not_given_twice(intake: Intake) -> None:
    await intake.subscriber("222")
    async with intake.db.statements() as statements:
        await statements.execute("update subscribers set subscriber_no = '２２２' where subscriber_no = '222'")
    assert await find(intake, subscriber_no="222") == ["２２２"]
    again = await intake.post("/subscribers", {"subscriber_no": "222", "name": "Z", "address": "x"})
    assert again.json()["code"] == "subscriber_no_taken"
    order = {"subscriber_no": "222", "device_type": "digital", "demand_type": "test", "content": "x"}
    created = (await intake.post("/work-orders", order)).json()
    assert created["subscriber_no"] == "２２２"
    listed = await intake.get("/work-orders", params={"subscriber_no": "222"})
    assert [item["id"] for item in listed.json()["items"]] == [created["id"]]


async def test_a_number_that_looks_like_another_is_taken_with_a_warning(intake: Intake) -> None:
    await intake.subscriber("AB-10")
    answer = await intake.post("/subscribers", {"subscriber_no": "\u0410B-1O", "name": "Z", "address": "x"})
    assert answer.status_code == 201
    assert answer.json()["look_alikes"] == [
        {"field": "subscriber_no", "likeness": "looks_like", "value": "AB-10"},
        {"field": "subscriber_no", "likeness": "mixed_scripts", "value": None},
    ]
    assert (await intake.get(f"/subscribers/{answer.json()['id']}")).json()["look_alikes"] == []


async def test_a_name_of_mixed_scripts_is_shown_as_such(intake: Intake) -> None:
    answer = await intake.post("/subscribers", {"subscriber_no": "9", "name": "\u0410nna", "address": "x"})
    assert answer.json()["look_alikes"] == [{"field": "name", "likeness": "mixed_scripts", "value": None}]


async def test_the_database_spells_and_likens_as_the_contracts_do(intake: Intake) -> None:
    texts = [*TABLE, "".join(TABLE), "２\u200b２２", " A \u3000 1 ", "\u0410B-1O", "王强", "ﬁ"]
    async with intake.db.statements() as statements:
        rows = await statements.fetch(
            "select plain_reference(text) as plain, look_alike(text) as alike from unnest($1::text[]) as text", texts
        )
    assert [row["plain"] for row in rows] == [plain_reference(text) for text in texts]
    assert [row["alike"] for row in rows] == [skeleton(text) for text in texts]
