"""The numbers that figures use are data: an operator changes them, and every question that leaves one out follows."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from services.reporting.tests.conftest import CallStream

from contracts import calls as c
from contracts.lifecycle import Status
from reporting.reports import building
from work_orders.testing import BEGIN

SHIPPED = {
    "threshold_seconds": 20,
    "short_seconds": 5,
    "near_seconds": 1800,
    "late_after_seconds": 300,
    "time_zone": "Asia/Shanghai",
    "silent_after_seconds": 14_400,
    "three_rings_seconds": 15,
}
LEVEL = "/figures/service_level_3"


async def put(reporting, role="operator", areas=None, **changed):
    """The rules with something changed; what is changed to None is left out."""
    body = {name: value for name, value in (SHIPPED | changed).items() if value is not None}
    return await reporting.client.put(
        "/v1/rules/figures", json=body, headers=reporting.issuer.headers(role, areas, sub="op-7")
    )


async def changed(reporting, **rules):
    answer = await put(reporting, **rules)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read(reporting, path, role="supervisor", **asked):
    answer = await reporting.get(path, role, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def waits(reporting, make_call):
    """Calls that waited 3, 10, 18 and 30 seconds and were answered, and one given up after 8."""
    streams = [
        make_call(f"c-{wait}", at=BEGIN + timedelta(minutes=wait), wait=wait, talk=60) for wait in (3, 10, 18, 30)
    ]
    streams.append(make_call("c-8", at=BEGIN, wait=8))
    await reporting.receive(*(message for stream in streams for message in stream.messages))


async def test_the_rules_are_as_shipped_until_somebody_changes_them_and_then_say_who(reporting):
    unchanged = {"version": 1, "changed_by": None, "changed_at": None}
    assert await read(reporting, "/rules/figures") == SHIPPED | unchanged
    written = await changed(reporting, short_seconds=4)
    assert written == SHIPPED | {"short_seconds": 4, "version": 2, "changed_by": "op-7"} | {
        "changed_at": written["changed_at"]
    }
    assert abs(datetime.fromisoformat(written["changed_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert await read(reporting, "/rules/figures") == written


async def test_a_service_level_without_a_threshold_is_told_with_that_of_the_rules(reporting, waits):
    before = await read(reporting, LEVEL)
    assert (before["parameters"], before["rows"][0]["value"]) == ({"threshold_seconds": 20}, 0.6)
    await changed(reporting, threshold_seconds=15)
    shown = await read(reporting, LEVEL)
    assert (shown["parameters"], shown["rows"][0]["value"]) == ({"threshold_seconds": 15}, 0.4)
    assert shown["rows"] == (await read(reporting, LEVEL, threshold_seconds=15))["rows"]
    assert (await read(reporting, LEVEL, threshold_seconds=20))["rows"] == before["rows"]
    *_, version = (await read(reporting, f"{LEVEL}/versions"))["items"]
    assert (version["parameters"], version["rows"]) == (shown["parameters"], shown["rows"])
    behind = await read(reporting, f"{LEVEL}/events")
    assert behind["parameters"] == {"threshold_seconds": 15}
    assert sorted(one["subject"] for one in behind["items"] if one["numerator"]) == ["c-10", "c-3"]


async def test_a_short_abandon_is_as_short_as_the_rules_say(reporting, waits):
    assert (await read(reporting, "/figures/short_abandons"))["rows"][0]["value"] == 0
    await changed(reporting, short_seconds=8)
    assert (await read(reporting, "/figures/short_abandons"))["rows"][0]["value"] == 1
    assert (await read(reporting, "/figures/short_abandons", short_seconds=5))["rows"][0]["value"] == 0


async def test_the_registry_lists_the_present_thresholds(reporting):
    await changed(reporting, threshold_seconds=15, short_seconds=4, near_seconds=60)
    listed = {one["id"]: one["parameters"] for one in (await read(reporting, "/metrics", "agent"))["items"]}
    assert listed["service_level_5"] == {"threshold_seconds": 15, "short_seconds": 4}
    assert listed["near_limit"] == {"near_seconds": 60}
    assert listed["connect_rate"] == {}


async def test_days_without_a_zone_are_those_of_the_rules(reporting, make_call):
    await reporting.receive(*make_call("c-1", at=datetime(2026, 3, 2, 17, tzinfo=UTC), wait=1).messages)
    shown = await read(reporting, "/figures/calls_offered", grain="day")
    assert (shown["time_zone"], shown["rows"][0]["period"]) == ("Asia/Shanghai", "2026-03-03")
    await changed(reporting, time_zone="America/New_York")
    shown = await read(reporting, "/figures/calls_offered", grain="day")
    assert (shown["time_zone"], shown["rows"][0]["period"]) == ("America/New_York", "2026-03-02")
    given = await read(reporting, "/figures/calls_offered", grain="day", time_zone="Asia/Shanghai")
    assert (given["time_zone"], given["rows"][0]["period"]) == ("Asia/Shanghai", "2026-03-03")


async def _ask_for_report(reporting, **body):
    asked = {"kind": "daily", "day": "2026-03-02", "format": "csv", **body}
    answer = await reporting.client.post("/v1/reports", json=asked, headers=reporting.issuer.headers("supervisor"))
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_report_without_a_zone_is_of_the_zone_of_the_rules(reporting):
    await changed(reporting, time_zone="America/New_York")
    report = await _ask_for_report(reporting)
    assert (report["time_zone"], report["begins_at"]) == ("America/New_York", "2026-03-02T05:00:00Z")
    given = await _ask_for_report(reporting, time_zone="Asia/Shanghai")
    assert (given["time_zone"], given["begins_at"]) == ("Asia/Shanghai", "2026-03-01T16:00:00Z")


async def test_a_report_is_built_by_the_rules_of_when_it_was_asked_for_and_says_them(reporting, waits):
    asked_before = await _ask_for_report(reporting, language="en")
    await changed(reporting, threshold_seconds=15)
    asked_after = await _ask_for_report(reporting, language="en")
    while await building.take_step(reporting.db):
        pass
    levels = []
    for report in (asked_before, asked_after):
        ready = await read(reporting, f"/reports/{report['id']}")
        file = await reporting.get(f"/reports/{report['id']}/file", "supervisor")
        level = next(row for row in csv.DictReader(io.StringIO(file.text)) if row["Metric id"] == "service_level_3")
        levels.append((ready["manifest"]["parameters"], level["Value"]))
    others = {"short_seconds": 5, "silent_after_seconds": 14_400, "three_rings_seconds": 15}
    assert levels == [
        ({"threshold_seconds": 20, **others}, "0.6"),
        ({"threshold_seconds": 15, **others}, "0.4"),
    ]


def _zone_where_it_is(hour: int) -> str:
    """A zone in which this hour is running."""
    ahead = (hour - datetime.now(UTC).hour) % 24
    return f"Etc/GMT{-(ahead if ahead <= 14 else ahead - 24):+d}"


async def test_the_wallboards_day_begins_at_midnight_of_the_rules_zone(reporting, make_call):
    await reporting.receive(*make_call("c-1", at=datetime.now(UTC) - timedelta(hours=3), wait=1, talk=9).messages)
    shown = []
    for hour in (12, 1):
        await changed(reporting, time_zone=_zone_where_it_is(hour))
        shown.append(await read(reporting, "/wallboard"))
    assert [one["calls"]["today"]["calls_offered"]["value"] for one in shown] == [1, 0]
    assert shown[0]["id"] != shown[1]["id"]
    given = await read(reporting, "/wallboard", time_zone=_zone_where_it_is(12))
    assert given["calls"]["today"]["calls_offered"]["value"] == 1


async def test_the_wallboard_calls_a_limit_near_as_the_rules_do(reporting, make_stream):
    begin = datetime.now(UTC) - timedelta(minutes=20)
    await reporting.receive(*make_stream("o-1", Status.DISPATCHED, at=begin).messages)
    near = (await read(reporting, "/wallboard"))["limits"]
    assert (near["near_seconds"], near["near_limit"], len(near["next"])) == (1800, 1, 1)
    await changed(reporting, near_seconds=60)
    near = (await read(reporting, "/wallboard"))["limits"]
    assert (near["near_seconds"], near["near_limit"], near["next"]) == (60, 0, [])
    assert (await read(reporting, "/figures/near_limit"))["rows"][0]["value"] == 0


async def test_what_is_recorded_after_a_change_is_late_by_the_rules_of_then(reporting):
    async def tell(call_id: str) -> None:
        """A call that is recorded a minute after it happened."""
        stream = CallStream(call_id)
        said = {"fact_id": call_id, "queue": "service"}
        stream.add(c.CallQueued(**said), BEGIN, recorded_at=BEGIN + timedelta(minutes=1))
        await reporting.receive(*stream.messages)

    async def late() -> tuple[float, list[str]]:
        answer = await read(reporting, "/figures/calls_offered/corrections")
        return answer["late_after_seconds"], sorted(one["subject"] for one in answer["items"])

    await tell("c-1")
    assert await late() == (300, [])
    await changed(reporting, late_after_seconds=59)
    await tell("c-2")
    assert await late() == (59, ["c-2"])
    await changed(reporting, late_after_seconds=60)
    await tell("c-3")
    assert await late() == (60, ["c-2"])


CANNOT_BE = [
    ("threshold_seconds", -1, "invalid_request"),
    ("threshold_seconds", 86_401, "invalid_request"),
    ("short_seconds", 86_401, "invalid_request"),
    ("near_seconds", 8_640_001, "invalid_request"),
    ("late_after_seconds", 86_401, "invalid_request"),
    ("late_after_seconds", None, "invalid_request"),
    ("silent_after_seconds", 0, "invalid_request"),
    ("silent_after_seconds", 299, "invalid_request"),
    ("silent_after_seconds", 86_401, "invalid_request"),
    ("silent_after_seconds", 10**9, "invalid_request"),
    ("three_rings_seconds", 0, "invalid_request"),
    ("three_rings_seconds", 301, "invalid_request"),
    ("time_zone", "Asia/Shanghai; drop", "invalid_request"),
    ("time_zone", "Mars/Olympus", "time_zone_unknown"),
    ("half_seconds", 1, "invalid_request"),
]


async def test_what_cannot_be_is_refused_and_changes_nothing(reporting, subtests):
    for rule, value, code in CANNOT_BE:
        with subtests.test(rule=rule, value=value):
            answer = await put(reporting, **{"threshold_seconds": 15, rule: value})
            assert (answer.status_code, answer.json()["code"]) == (422, code)
            assert answer.headers["content-type"] == "application/problem+json"
            kept = await read(reporting, "/rules/figures")
            assert (kept["threshold_seconds"], kept["version"], kept["changed_by"]) == (20, 1, None)


async def test_who_does_not_know_of_silence_and_rings_yet_leaves_them_as_they_are(reporting):
    await changed(reporting, silent_after_seconds=600, three_rings_seconds=12)
    kept = await changed(reporting, silent_after_seconds=None, three_rings_seconds=None, short_seconds=4)
    assert (kept["silent_after_seconds"], kept["three_rings_seconds"], kept["short_seconds"]) == (600, 12, 4)
    listed = {one["id"]: one["parameters"] for one in (await read(reporting, "/metrics", "agent"))["items"]}
    assert listed["occupancy"] == {"silent_after_seconds": 600}
    assert listed["answered_in_three_rings"] == {"three_rings_seconds": 12}


async def test_a_question_cannot_set_a_silence_that_a_rule_cannot(reporting):
    for seconds in (0, 299, 86_401, 10**9):
        answer = await reporting.get("/figures/occupancy", "supervisor", silent_after_seconds=seconds)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), seconds


async def test_the_rules_are_of_the_whole_centre_and_only_for_who_runs_it(reporting):
    answers = [
        await put(reporting, "dispatcher"),
        await put(reporting, "supervisor", ["north"]),
        await reporting.get("/rules/figures", "agent"),
        await reporting.get("/rules/figures", "operator", ["north"]),
    ]
    refusals = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert refusals == [(403, "role_not_allowed"), (403, "areas_not_enough")] * 2
    assert (await put(reporting, "supervisor")).status_code == 200
