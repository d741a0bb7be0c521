"""The monitor on its database: each step once, whatever workers, restarts, links and rules do meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.chaos.planted import Bug, plant

from chassis.testing import FixedClock
from chassis.unit_of_work import UnitOfWork
from contracts.escalation import AlarmCause, ClockAlarm
from contracts.events import WorkOrderStarted, WorkOrderUrged, Zone
from contracts.lifecycle import Service
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Message
from dispatch.alarms import monitor, store
from dispatch.alarms.monitor import MONITOR, fire_due
from dispatch.consumers import OWN
from linework.recount import Recount
from linework.verify.facts import Facts
from linework.verify.laws import Findings, Law
from work_orders.rows_by_limits import recompute
from work_orders.time_limits import KnownRuleSets

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
RULES = "/v1/escalation-rules"


class Monitor:
    """The job of one worker, at moments that the test sets."""

    def __init__(self, desk: Any) -> None:
        self.clock = FixedClock(BEGIN)
        self.desk = desk
        parts = {"service": Service.DISPATCH, "db": desk.db, "wakeup": desk.app.state.wakeup}
        self.uow = UnitOfWork(**parts, clock=self.clock, actor=MONITOR)
        self.limits = KnownRuleSets()

    async def look(self, minute: float) -> None:
        self.clock.moment = BEGIN + timedelta(minutes=minute)
        while await fire_due(self.uow, self.limits):
            pass


@pytest.fixture
def watching(staffed_desk: Any) -> Monitor:
    return Monitor(staffed_desk)


async def alarms(desk: Any, key: str | None = None) -> list[Message]:
    return [message for message in await desk.outbox(key) if isinstance(message.body, ClockAlarm)]


async def told(desk: Any, key: str | None = None) -> list[tuple[str, int]]:
    """The alarms that were published: kind and step."""
    found = await alarms(desk, key)
    return [(message.type.split(".")[-2].removeprefix("clock_"), message.body.minutes) for message in found]


async def test_the_ladder_is_climbed_step_by_step_and_each_step_is_told_once(staffed_desk, watching):
    await staffed_desk.create("o-1")
    for minute in (0, 29, 30, 30, 44, 45, 45.5, 75, 105, 900):
        await watching.look(minute)
    assert await told(staffed_desk) == [("warned", -15), ("breached", 0), ("escalated", 30), ("escalated", 60)]
    shown = (await staffed_desk.get("/v1/alarms")).json()["items"]
    assert [(alarm["kind"], alarm["minutes"], alarm["late_seconds"]) for alarm in shown] == [
        ("escalated", 60, 0),
        ("escalated", 30, 0),
        ("breached", 0, 0),
        ("warned", -15, 0),
    ]
    assert {message.subject for message in await alarms(staffed_desk)} == {"o-1"}


async def test_after_a_downtime_one_late_alarm_is_told(staffed_desk, watching):
    await staffed_desk.create("o-1")
    await watching.look(76.5)
    (message,) = await alarms(staffed_desk)
    assert (message.body.minutes, message.body.late_seconds, message.body.cause) == (30, 90, AlarmCause.TIME)


async def test_two_workers_tell_each_step_once(staffed_desk, watching, monkeypatch):
    monkeypatch.setattr(monitor, "_ORDERS_A_CHUNK", 3)
    for number in range(20):
        await staffed_desk.create(f"o-{number}", order_no=f"no-{number}")
    other = Monitor(staffed_desk)
    for minute in (30, 45, 45, 75):
        await asyncio.gather(watching.look(minute), other.look(minute))
    assert sorted(await told(staffed_desk)) == sorted([("breached", 0), ("escalated", 30), ("warned", -15)] * 20)


async def test_a_worker_that_dies_before_its_commit_has_told_nothing_and_the_next_tells_once(
    staffed_desk, watching, monkeypatch
):
    await staffed_desk.create("o-1")
    plan = store.plan_looks

    async def die(*_: Any) -> None:
        raise ConnectionResetError("killed")

    for minute in (30, 45, 75):
        monkeypatch.setattr(store, "plan_looks", die)
        with pytest.raises(ConnectionResetError):
            await watching.look(minute)
        monkeypatch.setattr(store, "plan_looks", plan)
        await watching.look(minute)
    assert await told(staffed_desk) == [("warned", -15), ("breached", 0), ("escalated", 30)]


@pytest.mark.parametrize("is_planted", [False, True])
async def test_a_monitor_that_fires_twice_is_found_by_the_checker(staffed_desk, watching, monkeypatch, *, is_planted):
    if is_planted:
        for name in ("fired", "add_alarms"):
            monkeypatch.setattr(store, name, getattr(store, name))  # put back after the test
        plant(Bug.MONITOR_FIRES_TWICE)
    stream = await staffed_desk.create("o-1", demand_type="report", zone=Zone.REMOTE)
    await watching.look(9 * 24 * 60 * 3)
    await staffed_desk.hear(stream.write(WorkOrderUrged(request_id="r-1", reason="again"), Service.DISPATCH))
    await watching.look(9 * 24 * 60 * 3 + 1)
    findings = Findings()
    facts = Facts(findings, Recount())
    for message in await alarms(staffed_desk):
        facts.take(message)
    assert findings.counts == ({Law.ALARMS: 1} if is_planted else {})


async def test_a_clock_that_is_set_back_tells_nothing_again(staffed_desk, watching):
    await staffed_desk.create("o-1")
    for minute in (30, 45, 35, 45, 46):
        await watching.look(minute)
    assert await told(staffed_desk) == [("warned", -15), ("breached", 0)]


async def test_an_order_that_is_linked_away_is_silent_until_the_link_is_undone(staffed_desk, watching):
    stream = await staffed_desk.create("o-1")
    linked = WorkOrderLinked(link_id="l-1", kind=LinkKind.DUPLICATE, other_order_id="o-0")
    await staffed_desk.hear(stream.write(linked, Service.INTAKE, order_version=None, prev_hash=None))
    await watching.look(46)
    assert await told(staffed_desk) == []
    undone = WorkOrderUnlinked(link_id="l-1")
    await staffed_desk.hear(stream.write(undone, Service.INTAKE, order_version=None, prev_hash=None))
    await watching.look(47)
    assert await told(staffed_desk) == [("breached", 0)]


async def test_limits_that_move_a_deadline_into_the_past_fire_at_once_and_say_why(staffed_desk, watching):
    await staffed_desk.create("o-1")
    await watching.look(10)
    limits = [{"clock": "arrive", "minutes": 8}]
    rules = {"limits": limits, "calendar": WORKING, "longest_extension_minutes": 60, "applies_from": BEGIN.isoformat()}
    assert (await staffed_desk.put("/v1/rules/time-limits", **rules)).status_code == 200
    assert await recompute(staffed_desk.db, store.plan_by_limits) == 1
    await watching.look(
        11
    )  # by the limits that this process read a moment ago: nothing fires, and nothing is forgotten
    assert await alarms(staffed_desk) == []
    watching.limits = KnownRuleSets()
    await watching.look(11)
    (message,) = await alarms(staffed_desk)
    assert (message.body.minutes, message.body.cause, message.body.limits_version) == (0, AlarmCause.LIMITS_CHANGED, 1)
    await watching.look(38)
    assert [one.body.cause for one in await alarms(staffed_desk)] == [AlarmCause.LIMITS_CHANGED, AlarmCause.TIME]


async def test_an_alarm_is_over_when_its_clock_has_stopped(staffed_desk, watching):
    stream = await staffed_desk.create("o-1", demand_type="complaint")
    await watching.look(24 * 60 - 240)
    (alarm,) = (await staffed_desk.get("/v1/alarms", state="open")).json()["items"]
    assert alarm["state"] == "open"
    await staffed_desk.dispatch("o-1")
    (dispatched,) = [message for message in await staffed_desk.outbox("o-1") if message.order_version == 2]
    await staffed_desk.hear(dispatched)
    stream.follow(dispatched)
    await staffed_desk.hear(stream.write(WorkOrderStarted(), Service.FIELDWORK))
    await watching.look(24 * 60 - 200)
    assert (await staffed_desk.get("/v1/alarms", state="open")).json()["items"] == []
    (over,) = (await staffed_desk.get("/v1/alarms", state="over")).json()["items"]
    assert (over["clock"], over["kind"]) == ("contact", "warned")


async def test_a_restored_database_takes_back_what_was_published_and_tells_none_of_it_again(staffed_desk, watching):
    await staffed_desk.create("o-1")
    await watching.look(45)
    assert (await staffed_desk.put(RULES, "supervisor", **LADDER)).status_code == 200
    published = [one for one in await staffed_desk.outbox() if one.type.startswith("linework.deadlines.")]
    async with staffed_desk.db.statements() as statements:
        await statements.execute("delete from clock_alarms")
        await statements.execute("delete from escalation_rules")
        await statements.execute("update alarm_watch set look_at = 'epoch'")
    async with staffed_desk.db.begin() as tx:
        await OWN[1].handler(published, tx)
    await watching.look(46)
    assert await told(staffed_desk) == [("breached", 0)]
    assert (await staffed_desk.get(RULES)).json()["version"] == 1


async def test_alarms_are_seen_and_acknowledged_within_the_areas_of_a_token(staffed_desk, watching):
    await staffed_desk.create("o-1")
    await staffed_desk.dispatch("o-1")
    await watching.look(45)
    (alarm,) = (await staffed_desk.get("/v1/alarms", "technician", ["north"])).json()["items"]
    assert (alarm["order_id"], alarm["state"]) == ("o-1", "open")
    assert (await staffed_desk.get("/v1/alarms", "technician", ["south"])).json()["items"] == []
    path = f"/v1/alarms/{alarm['alarm_id']}/acknowledge"
    foreign = await acknowledge(staffed_desk, path, "technician", ["south"])
    assert (foreign.status_code, foreign.json()["code"]) == (404, "alarm_not_found")
    first = (await acknowledge(staffed_desk, path, "technician", ["north"])).json()
    again = (await acknowledge(staffed_desk, path, "dispatcher", None)).json()
    assert (first["state"], first["acknowledged_by"]) == ("acknowledged", "technician-1")
    assert again == first
    assert (await staffed_desk.get("/v1/alarms", state="open")).json()["items"] == []
    form = (await staffed_desk.get("/v1/work-orders/o-1/form")).json()
    assert [one["alarm_id"] for one in form["alarms"]] == [alarm["alarm_id"]]


async def test_pages_of_alarms_follow_each_other(staffed_desk, watching):
    await staffed_desk.create("o-1")
    for minute in (30, 45, 75):
        await watching.look(minute)
    first = (await staffed_desk.get("/v1/alarms", limit=2)).json()
    second = (await staffed_desk.get("/v1/alarms", limit=2, cursor=first["next_cursor"])).json()
    assert [one["minutes"] for one in (*first["items"], *second["items"])] == [30, 0, -15]
    assert second["next_cursor"] is None


async def test_another_ladder_makes_a_version_and_fires_what_is_due_under_it(staffed_desk, watching):
    shipped = (await staffed_desk.get(RULES)).json()
    assert (shipped["version"], shipped["changed_by"]) == (0, None)
    await staffed_desk.create("o-1")
    await watching.look(20)
    changed = (await staffed_desk.put(RULES, "supervisor", **LADDER)).json()
    assert (changed["version"], len(changed["rules"]["steps"])) == (1, 2)
    await watching.look(21)
    assert await told(staffed_desk) == [("warned", -30)]
    assert (await staffed_desk.put(RULES, "supervisor", **LADDER)).json()["version"] == 1
    assert (await staffed_desk.get(f"{RULES}/0")).json() == shipped
    assert (await staffed_desk.get(f"{RULES}/9")).json()["code"] == "escalation_rules_not_found"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"steps": [{"minutes": 0, "tell": ["staff"]}] * 2}, "escalation_step_repeated"),
        ({"time_zone": "Asia/Peking"}, "escalation_time_zone_unknown"),
        ({"warning_hours": [{"begin_minute": 9, "end_minute": 9}]}, "warning_hours_overlap"),
        ({"steps": [{"minutes": 0, "tell": []}]}, "invalid_request"),
        ({"steps": [{"minutes": 0, "tell": ["nobody"]}]}, "invalid_request"),
    ],
)
async def test_a_ladder_that_makes_no_sense_is_refused_and_changes_nothing(staffed_desk, change, code):
    refused = await staffed_desk.put(RULES, "supervisor", **LADDER | change)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await staffed_desk.get(RULES)).json()["version"] == 0


async def test_the_ladder_of_every_area_is_not_changed_from_one(staffed_desk):
    headers = staffed_desk.issuer.headers("supervisor", ["south"])
    refused = await staffed_desk.client.put(RULES, json={"steps": []}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "areas_not_enough")
    assert (await staffed_desk.get(RULES)).json()["version"] == 0


WORKING = {"time_zone": "UTC", "days_off": [], "hours": [{"begin_minute": 0, "end_minute": 1440}]}
LADDER = {"steps": [{"minutes": -30, "tell": ["staff"]}, {"minutes": 0, "tell": ["supervisor"], "channels": ["sms"]}]}


async def acknowledge(desk: Any, path: str, role: str, areas: Any) -> Any:
    return await desk.client.post(path, headers=desk.issuer.headers(role, areas))
