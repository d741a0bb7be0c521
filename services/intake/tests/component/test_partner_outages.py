"""Outages and subscribers' data that partners report: their own outages, and the fields that they may set."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.component.switch import BEGIN, Switch, registered_switch
from services.intake.tests.service import Intake

from contracts import partners as p

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
REPORTED = p.PartnerOutageReported(
    territories=("chengdong", "ｃｈｅｎｇｄｏｎｇ"), cause="光缆中断", restore_by=TOMORROW
)


@pytest.fixture
async def partner(intake: Intake) -> Switch:
    return await registered_switch(intake)


async def outages(intake: Intake) -> list[dict[str, Any]]:
    return (await intake.get("/outages")).json()["items"]


async def test_an_outage_is_shown_to_the_desk_until_it_is_restored(intake: Intake, partner: Switch) -> None:
    await partner.says(partner.event(REPORTED, call="OUT-1"))
    (shown,) = await outages(intake)
    assert (shown["territories"], shown["cause"], shown["told_by"]) == (["chengdong"], "光缆中断", "pbx")
    assert (datetime.fromisoformat(shown["began_at"]), shown["is_planned"]) == (BEGIN, False)
    later = TOMORROW + timedelta(hours=2)
    await partner.says(partner.event(p.PartnerOutageRestoreTimeChanged(restore_by=later), call="OUT-1"))
    (shown,) = await outages(intake)
    assert (datetime.fromisoformat(shown["restore_by"]), shown["version"]) == (later, 2)
    await partner.says(partner.event(p.PartnerOutageRestored(), 60, call="OUT-1"))
    assert await outages(intake) == []
    assert [one.outage_id for one in await partner.answers()] == [shown["id"]] * 3
    async with intake.db.statements() as statements:
        assert await statements.fetchval("select ended_at from outages") == BEGIN + timedelta(seconds=60)


async def test_a_planned_outage_is_announced_before_it_begins_and_can_be_called_off(
    intake: Intake, partner: Switch
) -> None:
    planned = p.PartnerOutageReported(territories=("chengdong",), cause="检修", is_planned=True, began_at=TOMORROW)
    await partner.says(partner.event(planned, call="OUT-2"))
    (shown,) = await outages(intake)
    assert (datetime.fromisoformat(shown["began_at"]), shown["is_planned"]) == (TOMORROW, True)
    await partner.says(partner.event(p.PartnerOutageRestored(), call="OUT-2"))
    assert await outages(intake) == []
    assert await partner.refusals() == []


async def test_what_cannot_be_of_an_outage_is_refused_and_changes_nothing(intake: Intake, partner: Switch) -> None:
    changed = p.PartnerOutageRestoreTimeChanged(restore_by=TOMORROW)
    inverted = p.PartnerOutageRestoreTimeChanged(restore_by=BEGIN - timedelta(hours=1))
    wrong = [
        ("OUT-9", changed, "outage_not_found"),
        ("OUT-1", REPORTED, None),
        ("OUT-1", REPORTED, "outage_reference_taken"),
        ("OUT-1", inverted, "outage_times_inverted"),
        ("OUT-1", p.PartnerOutageRestored(), None),
        ("OUT-1", changed, "outage_ended"),
    ]
    for reference, body, code in wrong:
        before = await partner.refusals()
        await partner.says(partner.event(body, call=reference))
        after = await partner.refusals()
        assert [one for _, one in after[len(before) :]] == ([code] if code else [])
    foreign = Switch(intake.db, "other")
    await foreign.says(foreign.event(p.PartnerOutageRestored(), call="OUT-1"))
    assert [code for _, code in await foreign.refusals()] == ["outage_not_found"]


async def test_only_a_planned_outage_begins_in_the_future(intake: Intake) -> None:
    body = {"territories": ["chengdong"], "cause": "检修", "began_at": TOMORROW.isoformat()}
    refused = await intake.post("/outages", body, "supervisor")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/began_at")
    announced = await intake.post("/outages", {**body, "is_planned": True}, "supervisor")
    assert (announced.status_code, announced.json()["is_planned"]) == (201, True)


async def permit(intake: Intake, *fields: str) -> Any:
    body = {"name_en": "pbx", "name_zh": "pbx", "subscriber_fields": list(fields)}
    answer = await intake.client.put("/v1/partners/pbx", json=body, headers=intake.as_("operator"))
    assert answer.is_success, answer.text
    return answer.json()


async def subscriber(intake: Intake) -> dict[str, Any]:
    (found,) = (await intake.get("/subscribers?subscriber_no=111")).json()["items"]
    return found


def of_subscriber(partner: Switch, number: str = "111", **changes: Any) -> Any:
    body = p.PartnerSubscriberChanged(subscriber_no=number, **changes)
    return partner.event(body, call=f"subscriber:{number}")


async def test_a_partner_sets_what_an_operator_permits(intake: Intake, partner: Switch) -> None:
    assert (await permit(intake, "phones", "address", "phones"))["subscriber_fields"] == ["phones", "address"]
    before = await subscriber(intake)
    await partner.says(of_subscriber(partner, phones=("138-0000 1111",), address="　城东路 5 号"))
    after = await subscriber(intake)
    assert (after["phones"], after["address"]) == (["+8613800001111"], "城东路 5 号")
    assert (after["version"], after["name"], after["notes"]) == (before["version"] + 1, before["name"], before["notes"])
    assert await partner.refusals() == []


async def test_a_field_that_is_not_permitted_is_named_and_nothing_is_set(intake: Intake, partner: Switch) -> None:
    before = await subscriber(intake)
    await partner.says(of_subscriber(partner, phones=("13800001111",)))
    await permit(intake, "phones")
    await partner.says(of_subscriber(partner, phones=("13800001111",), name="李"))
    first, second = await partner.answers()
    assert first.code == second.code == "subscriber_fields_not_permitted"
    assert [(one.pointer, one.right) for one in second.mistakes] == [("/name", "phones")]
    assert await subscriber(intake) == before


async def test_a_partner_without_a_right_does_not_find_out_who_is_there(intake: Intake, partner: Switch) -> None:
    await partner.says(of_subscriber(partner, name="李"), of_subscriber(partner, "999", name="李"))
    one, other = await partner.answers()
    assert (one.code, one.detail, one.mistakes) == (other.code, other.detail, other.mistakes)
    await permit(intake, "name")
    await partner.says(of_subscriber(partner, "999", name="李"))
    assert [code for _, code in await partner.refusals()][-1] == "subscriber_not_found"
