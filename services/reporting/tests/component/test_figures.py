"""Figures over HTTP: what they count, how they add up, who sees what, and that a recount agrees."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest

from contracts import events as e
from contracts.lifecycle import Status
from custody.testing import make_dispatched, make_rejected
from reporting.metrics import REGISTRY, Dimension, Grain

CHRISTMAS = datetime(2025, 12, 24, 15, 30, tzinfo=UTC)


def _life(make_stream, number: int, chance: random.Random):
    """An order through a random life, with random times, from Christmas on."""
    stream = make_stream(
        f"o-{number:03}",
        at=CHRISTMAS + timedelta(seconds=chance.uniform(0, 40 * 86400)),
        demand_type=chance.choice(["fault_repair", "complaint"]),
        channel=chance.choice([e.Channel.PHONE, e.Channel.WEB]),
        zone=chance.choice(list(e.Zone)),
    )
    for _ in range(chance.randint(0, 2)):
        stream.after(seconds=chance.uniform(0, 86400)).add(make_dispatched(work_area_id=chance.choice("NSE")))
        stream.after(seconds=chance.uniform(0, 86400)).add(make_rejected())
        stream.after(seconds=chance.uniform(-100, 86400)).add(e.WorkOrderRedispatchRequested(remark="x"))
    if chance.random() < 0.7:
        stream.after(seconds=chance.uniform(0, 86400)).add(make_dispatched(work_area_id=chance.choice("NSE")))
        stream.after(seconds=chance.uniform(0, 86400)).add(e.WorkOrderUrged(request_id=f"u-{number}", reason="x"))
        stream.after(seconds=chance.uniform(0, 86400)).add(e.WorkOrderStarted())
    return stream


@pytest.fixture
async def city(reporting, make_stream):
    """Forty orders with lives of every kind around a new year."""
    chance = random.Random(11)
    streams = [_life(make_stream, number, chance) for number in range(40)]
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    return reporting


async def _figure(reporting, metric, role="supervisor", areas=None, **asked):
    answer = await reporting.get(f"/figures/{metric}", role, areas, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_time_in_status_is_told_with_everything_that_says_what_it_is(reporting, make_stream):
    for number, seconds in enumerate([10, 20, 30, 40, 100]):
        await reporting.receive(*make_stream(f"o-{number}", Status.DISPATCHED, step=seconds).messages)
    shown = await _figure(reporting, "time_in_status", group_by="status", grain="day")
    assert shown["rows"] == [
        {
            "period": "2026-03-02",
            "status": "created",
            "count": 5,
            "sum": 200.0,
            "mean": 40.0,
            "p50": 30.0,
            "p90": 76.0,
        }
    ]
    assert (shown["metric"]["id"], shown["metric"]["version"]) == ("time_in_status", 1)
    assert (shown["metric"]["unit"], shown["time_zone"], shown["grain"]) == ("seconds", "Asia/Shanghai", "day")
    assert shown["read_up_to"]["positions"] == {"0": 10}
    assert shown["read_up_to"]["message_count"] == 10
    assert shown["read_up_to"]["recorded_at"] == "2026-03-02T08:01:40Z"


async def test_orders_are_counted_by_any_combination(city):
    total = (await _figure(city, "work_orders"))["rows"]
    assert total == [{"count": 40}]
    for size in (1, 2, 3):
        for dimensions in itertools.combinations(Dimension, size):
            rows = (await _figure(city, "work_orders", group_by=[one.value for one in dimensions]))["rows"]
            assert sum(row["count"] for row in rows) == 40
            assert len({tuple(row[one.value] for one in dimensions) for row in rows}) == len(rows)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("metric", ["time_in_status", "work_orders_created", "rejections_per_dispatch"])
async def test_hours_add_up_to_days_and_so_on_to_years(city, metric, zone):
    sums = REGISTRY[metric].sums
    whole = (await _figure(city, metric, time_zone=zone))["rows"][0]
    for grain in Grain:
        rows = (await _figure(city, metric, grain=grain.value, time_zone=zone))["rows"]
        for name in sums:
            assert sum(row[name] for row in rows) == pytest.approx(whole[name], abs=1e-4)
        assert len({row["period"] for row in rows}) == len(rows)
    years = (await _figure(city, metric, grain="year", time_zone=zone))["rows"]
    assert [row["period"] for row in years] == ["2025-01-01", "2026-01-01"]


async def test_a_new_day_begins_at_midnight_of_the_zone(reporting, make_stream):
    before, after = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), datetime(2026, 3, 1, 16, tzinfo=UTC)
    await reporting.receive(*make_stream("o-1", at=before).messages, *make_stream("o-2", at=after).messages)
    periods = {
        (zone, grain): [
            row["period"]
            for row in (await _figure(reporting, "work_orders_created", grain=grain, time_zone=zone))["rows"]
        ]
        for zone in ("Asia/Shanghai", "UTC")
        for grain in ("day", "week", "month", "quarter")
    }
    assert periods["Asia/Shanghai", "day"] == ["2026-03-01", "2026-03-02"]
    assert periods["UTC", "day"] == ["2026-03-01"]
    assert periods["Asia/Shanghai", "week"] == ["2026-02-23", "2026-03-02"]
    assert periods["UTC", "month"] == ["2026-03-01"]
    assert periods["UTC", "quarter"] == ["2026-01-01"]


async def test_the_hour_that_a_clock_change_repeats_is_two_hours(reporting, make_stream):
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    await reporting.receive(*make_stream("o-1", at=first).messages, *make_stream("o-2", at=second).messages)
    asked = {"grain": "hour", "time_zone": "America/New_York"}
    shown = await _figure(reporting, "work_orders_created", **asked)
    assert [row["period"] for row in shown["rows"]] == ["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"]
    day = await _figure(reporting, "work_orders_created", grain="day", time_zone="America/New_York")
    assert day["rows"] == [{"period": "2026-11-01", "count": 2}]


async def test_a_window_takes_its_beginning_and_leaves_its_end(reporting, make_stream):
    await reporting.receive(*make_stream("o-1").messages)
    moment = "2026-03-02T08:00:00Z"
    asked = {"from": moment, "to": "2026-03-02T08:00:01Z"}
    assert (await _figure(reporting, "work_orders_created", **asked))["rows"] == [{"count": 1}]
    shown = await _figure(reporting, "work_orders_created", **{"from": "2026-03-02T07:00:00Z", "to": moment})
    assert (shown["rows"], shown["window"]["to"]) == ([{"count": 0}], moment)


async def test_repair_staff_see_the_figures_of_their_areas_only(city):
    everything = (await _figure(city, "time_in_status", group_by="work_area_id"))["rows"]
    own = (await _figure(city, "time_in_status", "technician", ["N"], group_by="work_area_id"))["rows"]
    assert own == [row for row in everything if row["work_area_id"] == "N"]
    assert (await _figure(city, "time_in_status", "technician"))["rows"][0]["count"] == 0


async def test_agents_see_counts_and_no_durations(city):
    assert (await _figure(city, "work_orders", "agent"))["rows"] == [{"count": 40}]
    refused = await city.get("/figures/time_in_status", "agent")
    assert (refused.status_code, refused.json()["code"]) == (403, "metric_not_for_role")


@pytest.mark.parametrize(
    ("metric", "asked", "code"),
    [
        ("no_such", {}, "metric_not_found"),
        ("work_orders", {"grain": "day"}, "metric_without_time"),
        ("work_orders_created", {"group_by": "status"}, "dimension_not_of_metric"),
        ("work_orders_created", {"time_zone": "Asia/Atlantis"}, "time_zone_unknown"),
        ("work_orders_created", {"from": "2026-03-02T08:00:00Z", "to": "2026-03-01T08:00:00Z"}, "window_inverted"),
        ("work_orders_created", {"from": "1900-01-01T00:00:00Z"}, "invalid_request"),
        ("work_orders_created", {"to": "9999-12-31T23:59:59Z"}, "invalid_request"),
        ("work_orders_created", {"grain": "minute"}, "invalid_request"),
        ("work_orders_created", {"group_by": "content"}, "invalid_request"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(reporting, metric, asked, code):
    answer = await reporting.get(f"/figures/{metric}", "supervisor", **asked)
    assert answer.json()["code"] == code


async def test_a_figure_of_too_many_rows_is_refused_whole(city, monkeypatch):
    monkeypatch.setattr("reporting.figures.MOST_ROWS", 5)
    answer = await city.get("/figures/time_in_status", "supervisor", grain="hour")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_rows")


@pytest.mark.parametrize("metric", list(REGISTRY))
async def test_every_figure_equals_its_recount_from_the_raw_events(city, metric):
    declared = REGISTRY[metric]
    grains = list(Grain) if declared.moment else [None]
    for grain, zone in itertools.product(grains, ["Asia/Shanghai", "America/New_York"]):
        asked = {"time_zone": zone, "group_by": [one.value for one in declared.dimensions[:3]]}
        asked |= {"grain": grain.value, "from": "2025-12-28T00:00:00Z"} if grain else {}
        answer = (await city.get(f"/figures/{metric}/recount", "supervisor", **asked)).json()
        assert answer["differences"] == []
        assert answer["is_equal"] is True
        assert len(answer["recounted"]) == len(answer["rows"]) > 0
    scoped = (await city.get(f"/figures/{metric}/recount", "operator", ["N"])).json()
    assert scoped["is_equal"] is True


async def test_a_recount_shows_what_is_wrong_with_a_figure(city):
    await city.rows("update order_facts_a set status = 'archived' where order_id = 'o-001'")
    answer = (await city.get("/figures/work_orders/recount", "operator", group_by="status")).json()
    assert answer["is_equal"] is False
    wrong = [(row["shown"] or row["recounted"])["status"] for row in answer["differences"]]
    assert "archived" in wrong
    assert len(wrong) == 2


async def test_the_registry_lists_every_metric(reporting):
    items = (await reporting.get("/figures", "agent")).json()["items"]
    assert [item["id"] for item in items] == list(REGISTRY)
    assert items[2]["measures"] == ["count", "sum", "p50", "p90", "mean"]
