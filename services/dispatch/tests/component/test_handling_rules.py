"""The rules of handling orders: shipped, changed field by field, published whole, kept by version, taken back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.handling import SHIPPED
from dispatch import recovery

PATH = "/v1/handling-rules"
OF_SHIPPED = {"code": "other", "name_en": "other", "name_zh": "其他"}
REASONS = [
    {"code": reason.code, "name_en": reason.names.en, "name_zh": reason.names.zh}
    for reason in SHIPPED.suspension_reasons
]


async def test_what_was_shipped_holds_until_somebody_changes_it(desk):
    shown = (await desk.get(PATH, "technician")).json()
    assert (shown["version"], shown["changed_by"], shown["rules"]["most_suspensions"]) == (0, None, 5)
    assert shown["rules"]["completers"] == ["assigned_staff", "supervisor"]
    assert await desk.outbox() == []


async def test_a_change_keeps_the_fields_that_it_leaves_out_and_is_published_whole(desk):
    shown = (await desk.put(PATH, "supervisor", longest_suspension_minutes=60)).json()
    assert (shown["version"], shown["rules"]["longest_suspension_minutes"]) == (1, 60)
    shown = (await desk.put(PATH, completers=["area_staff"], unresolved=_consequences(needs_audit=False))).json()
    assert (shown["version"], shown["rules"]["longest_suspension_minutes"]) == (2, 60)
    assert shown["rules"]["unresolved"] == _consequences(needs_audit=False)
    _, second = await desk.outbox("handling_rules")
    assert (second.type, second.entity_version) == ("linework.directory.handling_rules.v1", 2)
    assert second.body.suspension_reasons == SHIPPED.suspension_reasons
    assert (await desk.get(f"{PATH}/1")).json()["rules"]["completers"] == ["assigned_staff", "supervisor"]
    assert (await desk.get(f"{PATH}/0")).json()["changed_by"] is None
    assert (await desk.get(f"{PATH}/3")).json()["code"] == "handling_rules_not_found"


async def test_unchanged_rules_make_no_version(desk):
    versions = [(await desk.put(PATH, most_suspensions=3)).json()["version"] for _ in range(2)]
    assert versions == [1, 1]
    assert len(await desk.outbox("handling_rules")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"suspension_reasons": [*REASONS, OF_SHIPPED]}, "rule_code_repeated"),
        ({"suspension_reasons": [OF_SHIPPED]}, "suspension_reason_removed"),
        ({"completers": ["lead", "lead"]}, "rule_code_repeated"),
        ({"completers": []}, "invalid_request"),
        ({"completers": ["anybody"]}, "invalid_request"),
        ({"longest_suspension_minutes": 0}, "invalid_request"),
        ({"most_suspensions": -1}, "invalid_request"),
        ({"unresolved": {"needs_audit": True}}, "invalid_request"),
        ({"nonsense": 1}, "invalid_request"),
    ],
)
async def test_rules_that_make_no_sense_are_refused_and_change_nothing(desk, change, code):
    refused = await desk.put(PATH, **change)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await desk.get(PATH)).json()["version"] == 0


async def test_a_dispatcher_reads_the_rules_and_does_not_change_them(desk):
    assert (await desk.get(PATH, "dispatcher")).status_code == 200
    assert (await desk.put(PATH, "dispatcher", most_suspensions=1)).status_code == 403


async def test_a_restored_database_takes_the_rules_back_and_publishes_them_again(desk):
    shown = (await desk.put(PATH, most_suspensions=3)).json()
    published = await desk.outbox("handling_rules")
    async with desk.db.statements() as statements:
        await statements.execute("delete from handling_rules")
    async with desk.db.begin() as tx:
        await recovery.take_back(published, tx)
    assert (await desk.get(PATH)).json()["rules"] == shown["rules"]
    async with desk.db.begin() as tx:
        messages, _ = await recovery.directory(tx, "", datetime.now(UTC))
    assert [(one.body, one.entity_version) for one in messages] == [(published[0].body, 1)]


def _consequences(**overrides: Any) -> dict[str, bool]:
    return {"needs_audit": True, "tells_supervisor": True} | overrides
