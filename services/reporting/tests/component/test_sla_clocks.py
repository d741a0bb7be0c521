"""Clocks: what is in time and what is not, by which limits, and what a changed set of limits does to the past."""

import asyncio
import random
from datetime import timedelta

from services.reporting.tests import rebuild_steps
from services.reporting.tests.conftest import LimitStream
from services.reporting.tests.world import NEW_YEAR, life, make_limits

from contracts import events as e
from contracts.calendar import Hours, WorkingTime
from contracts.events import SlaClock
from contracts.lifecycle import Status
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from reporting.projections import sla_clocks
from reporting.projections.orders import Projected
from reporting.projections.sla import LimitHistory
from reporting.rebuilds import rebuilding
from work_orders.testing import BEGIN

# None goes back in time: what is recorded before what it follows is another question, which `known_at` answers.
STEPS = (0, 30, 4_000, 90_000)
ALL_DAY = WorkingTime(time_zone="UTC", days_off=(), hours=(Hours(begin_minute=0, end_minute=1440),))


def make_rules(*limits: TimeLimit, applies_from=BEGIN, **more) -> TimeLimitsDefined:
    facts = {"calendar": ALL_DAY, "longest_extension_minutes": 600}
    return TimeLimitsDefined(applies_from=applies_from, limits=limits, **facts | more)


async def told(reporting, *rules: TimeLimitsDefined, at=BEGIN) -> LimitStream:
    stream = LimitStream()
    for one in rules:
        stream.add(one, at)
    await reporting.receive(*stream.messages)
    return stream


async def figure(reporting, metric: str, role: str = "supervisor", areas=None, **asked) -> dict:
    answer = await reporting.get(f"/figures/{metric}", role, areas, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def by_clock(reporting, **asked) -> dict[str, tuple[int, int]]:
    rows = (await figure(reporting, "in_time", group_by="clock", **asked))["rows"]
    return {row["clock"]: (row["numerator"], row["denominator"]) for row in rows}


async def test_an_urban_order_is_to_be_reached_within_45_minutes_as_shipped(reporting, make_stream):
    stream = make_stream("o-1", Status.DISPATCHED, at=BEGIN, step=0)
    stream.after(minutes=45).add(e.WorkOrderArrived())
    stream.after(minutes=9).add(e.WorkOrderArrived())
    await reporting.receive(*stream.messages)
    assert await by_clock(reporting) == {"arrive": (1, 1)}
    (row,) = (await figure(reporting, "arrival_time", group_by="work_area_id"))["rows"]
    assert (row["work_area_id"], row["value"], row["denominator"]) == ("north", 2700, 1)


async def test_limits_that_apply_from_the_past_judge_what_is_over_anew_and_as_of_shows_what_was_known(
    reporting, make_stream
):
    stream = make_stream("o-1", Status.DISPATCHED, at=BEGIN, step=0)
    stream.after(minutes=50).add(e.WorkOrderArrived())
    await reporting.receive(*stream.messages)
    window = {"from": (BEGIN - timedelta(days=3)).isoformat(), "to": (BEGIN + timedelta(days=9)).isoformat()}
    assert await by_clock(reporting) == {"arrive": (0, 1)}
    assert (await figure(reporting, "in_time", **window))["rows"][0]["value"] == 0
    later = BEGIN + timedelta(days=2)
    await told(reporting, make_rules(TimeLimit(clock=SlaClock.ARRIVE, minutes=60)), at=later)
    assert await by_clock(reporting) == {"arrive": (1, 1)}
    whole_days = {"from": "2026-02-27T00:00:00+08:00", "to": "2026-03-09T00:00:00+08:00"}
    assert (await figure(reporting, "in_time", **whole_days))["rows"][0]["value"] == 1
    assert await by_clock(reporting, as_of=(later - timedelta(hours=1)).isoformat()) == {"arrive": (0, 1)}


async def test_days_that_were_summed_before_follow_a_changed_set_of_limits(reporting, make_stream):
    stream = make_stream("o-1", Status.DISPATCHED, at=BEGIN, step=0)
    stream.after(minutes=50).add(e.WorkOrderArrived())
    await reporting.receive(
        *stream.messages, *make_stream("o-2", Status.CREATED, at=BEGIN + timedelta(days=30)).messages
    )
    days = {"from": "2026-02-27T00:00:00+08:00", "to": "2026-03-09T00:00:00+08:00"}
    rules, shown = LimitStream(), [(await figure(reporting, "in_time", **days))["rows"][0]["value"]]
    for minutes in (60, 10):
        limit = TimeLimit(clock=SlaClock.ARRIVE, minutes=minutes)
        await reporting.receive(rules.add(make_rules(limit), BEGIN + timedelta(days=40)))
        shown.append((await figure(reporting, "in_time", **days))["rows"][0]["value"])
    assert shown == [0, 1, 0]


async def test_rows_do_not_depend_on_which_topic_came_first_nor_on_a_rebuild(reporting, make_stream, empty):
    chance = random.Random(3)
    lives = [life(make_stream, number, chance, steps=STEPS) for number in range(30)]
    orders = [message for stream in lives for message in stream.messages]
    rules, found = LimitStream(), []
    for days, before in ((0, 400), (4, 0), (9, 400), (15, 3)):
        at = NEW_YEAR + timedelta(days=days)
        rules.add(make_limits(chance, at - timedelta(days=before)), at)
    as_recorded = [[message for message in orders if message.recorded_at < rules.messages[0].recorded_at]]
    for one in rules.messages:
        later = (other.recorded_at for other in rules.messages if other.recorded_at > one.recorded_at)
        until = next(later, NEW_YEAR + timedelta(days=4000))
        as_recorded += [[one], [message for message in orders if one.recorded_at <= message.recorded_at < until]]
    for batches in ([orders, rules.messages], [rules.messages, orders], as_recorded):
        await empty()
        for batch in batches:
            await reporting.receive(*batch)
        found.append(await reporting.rows("select * from clocks_a order by order_id, number"))
    assert found[0] == found[1] == found[2] != []
    asked = await rebuild_steps.request(reporting)
    await rebuild_steps.finish(reporting)
    row = await rebuild_steps.get(reporting, asked["id"])
    assert (row["state"], row["difference_count"]) == ("ready", 0)
    assert await reporting.rows("select * from clocks_b order by order_id, number") == found[0]


async def test_limits_that_arrive_while_a_set_is_rebuilt_are_in_both(reporting, make_stream, monkeypatch):
    monkeypatch.setattr(rebuilding, "_ORDERS_A_CHUNK", 2)
    monkeypatch.setattr(rebuilding, "_FEW_MESSAGES", 2)
    monkeypatch.setattr(sla_clocks, "_ORDERS_A_CHUNK", 2)
    for number in range(7):
        await reporting.receive(*make_stream(f"o-{number}", Status.ARCHIVED).messages)
    await rebuild_steps.request(reporting)
    stream = LimitStream()
    while await rebuilding.take_step(reporting.db):
        minutes = len(stream.messages) + 1
        rules = make_rules(TimeLimit(clock=SlaClock.DISPATCH, minutes=minutes), applies_from=SHIPPED.applies_from)
        await reporting.receive(stream.add(rules, BEGIN + timedelta(days=1 + minutes)))
    rows = [await reporting.rows(f"select * from clocks_{name} order by order_id, number") for name in ("a", "b")]
    assert rows[0] == rows[1]
    assert {row["limit_us"] for row in rows[0] if row["until_known_at"] is None and row["clock"] == "dispatch"} == {
        len(stream.messages) * 60_000_000
    }


async def test_from_a_share_one_comes_down_to_the_event_that_stopped_the_clock(reporting, make_stream):
    stream = make_stream("o-1", Status.DISPATCHED, at=BEGIN, step=0)
    stream.after(minutes=50).add(e.WorkOrderArrived())
    await reporting.receive(*stream.messages)
    answer = (await reporting.get("/figures/in_time/events", "supervisor")).json()
    (item,) = answer["items"]
    assert (item["subject"], item["numerator"], item["dimensions"]["clock"]) == ("o-1", 0, "arrive")
    assert [event["type"] for event in item["events"]] == ["linework.work_order.arrived.v1"]


async def test_judging_many_orders_leaves_the_worker_time_for_others(make_stream):
    projected = Projected(timedelta(minutes=5))
    projected.take(message for number in range(30) for message in make_stream(f"o-{number}").messages)
    turns = 0

    async def answer_probes() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(answer_probes())
    found = await sla_clocks.judged([[taken] for taken in projected.taken], LimitHistory(), timedelta(minutes=5))
    others.cancel()
    assert (len(found), turns >= 30) == (30, True)
