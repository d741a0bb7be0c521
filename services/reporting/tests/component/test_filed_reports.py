"""Reports that schedules file: once, with however many workers, for those who may; and what is written to them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pypdfium2
import pytest

from contracts import directory as d
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor
from reporting.reports import building, filing, store
from reporting.reports.schedule import MOST_OWED
from work_orders.testing import BEGIN

RULES = {
    "centre": {"en": "Northern service centre", "zh": "北区客户服务中心"},
    "prepared_by": "李静",
    "targets": [{"metric": "service_level_3", "value": 0.8}],
    "queues": {"service": {"en": "Service line", "zh": "服务专线"}},
    "schedules": [{"id": "daily", "kind": "daily", "languages": ["zh", "en"], "formats": ["pdf", "csv"]}],
}
REMARKS = {"problems": "高峰时段人手不足", "suggestions": "增加自助查询", "measures": "调整排班"}


async def put_rules(reporting, role="supervisor", **changed):
    body = RULES | changed
    return await reporting.client.put("/v1/rules/reports", json=body, headers=reporting.issuer.headers(role))


async def post(reporting, path, body, role="supervisor", areas=None):
    return await reporting.client.post(f"/v1{path}", json=body, headers=reporting.issuer.headers(role, areas))


async def filed(reporting, role="supervisor", areas=None):
    return (await reporting.get("/filed-reports", role, areas)).json()["items"]


async def began(reporting, moment):
    """Sets since when every schedule holds."""
    since = "(select json_object_agg(key, $1::timestamptz) from json_each(since))"
    await reporting.rows(f"update report_rules set since = {since}, installed_at = $1", moment)


@pytest.fixture
async def scheduled(reporting):
    """Rules with one daily schedule in two languages and formats, which has held since the morning of 1 March."""
    assert (await put_rules(reporting)).status_code == 200
    await began(reporting, datetime(2026, 3, 1, 1, tzinfo=UTC))
    return reporting


def entity(body, subject):
    actor = Actor("operator-1", "operator")
    return new_message(
        body,
        service=Service.INTAKE,
        subject=subject,
        actor=actor,
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        entity_version=1,
    )


async def test_two_workers_file_what_is_due_once_and_one_that_comes_later_nothing(scheduled, second_connection):
    now = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)
    async with second_connection() as other:
        counts = await asyncio.gather(*(filing.file_due(db, now=now) for db in (scheduled.db, other) * 3))
        assert sorted(counts)[-1] == sum(counts) == 2  # of 1 and 2 March
        assert await filing.file_due(other, now=now + timedelta(hours=20)) == 0
        steps = [building.take_step(db) for db in (scheduled.db, other)]
        while any(await asyncio.gather(*steps)):
            steps = [building.take_step(db) for db in (scheduled.db, other)]
    items = await filed(scheduled)
    assert [(one["state"], one["language"], one["format"]) for one in items[:4]] == [
        ("ready", "en", "csv"),
        ("ready", "en", "pdf"),
        ("ready", "zh", "csv"),
        ("ready", "zh", "pdf"),
    ]
    assert len(items) == 8
    assert {one["contents_of"] for one in items[:3]} == {items[3]["id"]}
    assert [one["manifest"]["is_late"] for one in items] == [False] * 4 + [True] * 4
    assert {one["asked_at"] for one in items} == {now.isoformat().replace("+00:00", "Z")}


async def test_a_worker_that_stops_before_its_commit_leaves_the_period_to_the_next(scheduled, monkeypatch):
    insert = store.insert_report

    async def stopping(*arguments, **named):
        await insert(*arguments, **named)
        raise asyncio.CancelledError

    now = datetime(2026, 3, 2, 0, tzinfo=UTC)
    monkeypatch.setattr(store, "insert_report", stopping)
    with pytest.raises(asyncio.CancelledError):
        await filing.file_due(scheduled.db, now=now)
    monkeypatch.setattr(store, "insert_report", insert)
    assert await filed(scheduled) == []
    assert await filing.file_due(scheduled.db, now=now) == 1
    assert await filing.file_due(scheduled.db, now=now) == 0


async def test_after_a_long_pause_the_latest_periods_are_made_and_no_flood(scheduled):
    now = datetime(2027, 3, 2, 1, tzinfo=UTC)
    assert await filing.file_due(scheduled.db, now=now) == MOST_OWED
    assert await filing.file_due(scheduled.db, now=now) == 0


async def test_a_schedule_whose_time_is_changed_owes_nothing_of_before(scheduled):
    changed = [RULES["schedules"][0] | {"minute": 600}]
    answer = await put_rules(scheduled, schedules=changed)
    assert answer.json()["schedules"][0]["minute"] == 600
    assert await filing.file_due(scheduled.db, now=datetime.now(UTC)) == 0


async def test_a_filed_report_is_found_by_its_roles_and_by_who_reaches_its_work_areas(reporting):
    schedules = [
        {"id": "whole", "kind": "daily", "formats": ["csv"]},
        {
            "id": "north",
            "kind": "daily",
            "formats": ["csv"],
            "areas": ["north"],
            "readers": ["supervisor", "technician"],
        },
    ]
    await put_rules(reporting, schedules=schedules)
    await began(reporting, datetime(2026, 3, 1, 1, tzinfo=UTC))
    await filing.file_due(reporting.db, now=datetime(2026, 3, 2, 1, tzinfo=UTC))
    while await building.take_step(reporting.db):
        pass
    of_north, of_whole = await filed(reporting)
    assert (of_whole["areas"], of_north["areas"]) == (None, ["north"])
    sections = {section["id"]: section for section in of_north["manifest"]["sections"]}
    assert "calls_offered" in sections["calls"]["left_out"], "not for each of its readers"

    async def seen(role, areas=None):
        return [one["id"] for one in await filed(reporting, role, areas)]

    assert await seen("operator") == [of_whole["id"]]
    assert await seen("supervisor") == [of_north["id"], of_whole["id"]]
    assert await seen("supervisor", ["north", "south"]) == [of_north["id"]]
    assert await seen("technician", ["north"]) == [of_north["id"]]
    assert await seen("technician", ["south"]) == []
    assert await seen("dispatcher") == []
    hidden = await reporting.get(f"/filed-reports/{of_north['id']}/file", "technician", ["south"])
    assert (hidden.status_code, hidden.json()["code"]) == (404, "report_not_found")
    assert (await reporting.get(f"/reports/{of_north['id']}", "supervisor")).status_code == 404
    assert (await reporting.get(f"/filed-reports/{of_north['id']}/file", "technician", ["north"])).status_code == 200


async def test_names_come_from_the_directory_and_the_rules_and_never_the_codes(scheduled, make_call, make_stream):
    names = d.Names(en="Bulky items", zh="大件垃圾")
    await scheduled.receive(
        entity(d.AgentDefined(agent_id="a-1", name="陈静"), "agent:a-1"),
        entity(d.DemandTypeDefined(demand_type="bulky_items", names=names), "demand_type:bulky_items"),
        *make_call("c-1", at=BEGIN, wait=3, talk=60, demand_type="bulky_items").messages,
        *make_call("c-2", at=BEGIN, wait=3, talk=60, demand_type="lost_key").messages,
        *make_stream("o-1", at=BEGIN, demand_type="bulky_items").messages,
    )
    await filing.file_due(scheduled.db, now=datetime(2026, 3, 3, 1, tzinfo=UTC))
    while await building.take_step(scheduled.db):
        pass
    report = (await filed(scheduled))[3]
    file = await scheduled.get(f"/filed-reports/{report['id']}/file", "supervisor")
    with pypdfium2.PdfDocument(file.content) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    for name in ("大件垃圾", "陈静", "服务专线", "未登记名称的需求类型 1", "北区客户服务中心", "制表：李静"):
        assert name in text
    assert "bulky" not in text
    assert report["manifest"]["unnamed"] == {"demand_type": ["lost_key"]}


async def test_what_a_supervisor_writes_is_a_revision_of_the_same_figures(scheduled, make_call):
    await scheduled.receive(*make_call("c-1", at=BEGIN, wait=3, talk=60).messages)
    await filing.file_due(scheduled.db, now=datetime(2026, 3, 3, 1, tzinfo=UTC))
    while await building.take_step(scheduled.db):
        pass
    first = (await filed(scheduled))[3]
    path = f"/filed-reports/{first['id']}"
    for role in ("operator", "technician", "agent"):
        assert (await post(scheduled, f"{path}/remarks", REMARKS, role, ["north"])).status_code == 403
    # A call of that day that becomes known only now is in no revision: it was not in what is revised.
    await scheduled.receive(*make_call("c-2", at=BEGIN, wait=3, talk=60).messages)
    second, third = [(await post(scheduled, f"{path}/remarks", REMARKS)).json() for _ in range(2)]
    assert (second["revision"], third["revision"]) == (2, 3)
    copy = await post(scheduled, f"/filed-reports/{third['id']}/copies", {"format": "csv", "language": "en"})
    assert (copy.status_code, copy.json()["revision"]) == (202, 3)
    while await building.take_step(scheduled.db):
        pass
    file = await scheduled.get(f"/filed-reports/{third['id']}/file", "supervisor")
    assert file.headers["content-disposition"] == 'attachment; filename="daily-2026-03-02-r3.pdf"'
    with pypdfium2.PdfDocument(file.content) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    assert REMARKS["problems"] in text
    assert "本期呼入 1 通" in text
    before = await scheduled.get(f"{path}/file", "supervisor")
    assert before.status_code == 200
    assert before.content != file.content


async def test_a_report_is_deleted_when_it_was_kept_as_long_as_the_rules_say(scheduled):
    await put_rules(scheduled, kept_days=10)
    await filing.file_due(scheduled.db, now=datetime(2026, 3, 2, 1, tzinfo=UTC))
    while await building.take_step(scheduled.db):
        pass
    now = datetime.now(UTC)
    assert not await filing.delete_old(scheduled.db, now=now + timedelta(days=9))
    while await filing.delete_old(scheduled.db, now=now + timedelta(days=11)):
        pass
    assert await filed(scheduled) == []
    assert await scheduled.rows("select 1 from report_sections") == []
    assert await filing.file_due(scheduled.db, now=datetime(2026, 3, 2, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"targets": [{"metric": "no_such_metric", "value": 1}]}, "target_metric_unknown"),
        ({"targets": [{"metric": "service_level_3", "value": 80}]}, "share_beyond_one"),
        ({"targets": [{"metric": "handle_time", "value": True}]}, "invalid_request"),
        ({"targets": [{"metric": "in_time", "value": 1}, {"metric": "in_time", "value": 0}]}, "target_repeated"),
        ({"schedules": [{"id": "a", "kind": "daily"}, {"id": "a", "kind": "weekly"}]}, "schedule_id_repeated"),
        ({"schedules": [{"id": "a", "kind": "daily", "formats": ["pdf", "pdf"]}]}, "schedule_repeats_itself"),
        ({"schedules": [{"id": "a", "kind": "period"}]}, "invalid_request"),
        ({"schedules": [{"id": "a", "kind": "daily", "readers": ["partner"]}]}, "invalid_request"),
        ({"prepared_by": "a\nb"}, "invalid_request"),
        ({"kept_days": 0}, "invalid_request"),
    ],
)
async def test_rules_that_cannot_hold_are_refused_and_leave_all_as_it_was(reporting, changed, code):
    before = (await reporting.get("/rules/reports", "operator")).json()
    answer = await put_rules(reporting, **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await reporting.get("/rules/reports", "operator")).json() == before


async def test_rules_say_when_each_schedule_is_due_next_and_how_far_holidays_are_known(reporting):
    rules = (await reporting.get("/rules/reports", "supervisor")).json()
    assert {run["schedule"] for run in rules["next_runs"]} == {one["id"] for one in rules["schedules"]}
    assert rules["working_calendar"] == {"time_limits_version": 0, "covered_until": None}
    assert (await reporting.get("/rules/reports", "dispatcher")).status_code == 403
    assert (await put_rules(reporting, "dispatcher")).status_code == 403


async def test_a_report_waits_for_a_rebuild_and_one_begun_by_another_release_is_begun_again(scheduled):
    await filing.file_due(scheduled.db, now=datetime(2026, 3, 2, 1, tzinfo=UTC))
    (first,) = await scheduled.rows("select id, section_count from reports where contents_of is null")
    shapes = await scheduled.rows("update stream_state set live_shape = live_shape - 1 returning live_shape + 1 as own")
    assert await building.take_step(scheduled.db) is False
    assert {one["state"] for one in await filed(scheduled)} == {"waiting"}
    await scheduled.rows("update stream_state set live_shape = $1", shapes[0]["own"])
    await scheduled.rows("update reports set section_count = 3, done_count = 2 where id = $1", first["id"])
    await scheduled.rows("insert into report_sections values ($1, 0, '{}'), ($1, 1, '{}')", first["id"])
    while await building.take_step(scheduled.db):
        pass
    items = await filed(scheduled)
    assert {one["state"] for one in items} == {"ready"}
    assert items[-1]["section_count"] == first["section_count"]
