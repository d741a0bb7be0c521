"""Figures over HTTP: what they count, how they add up, who sees what, and that a recount agrees."""

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from contracts import events as e
from contracts.lifecycle import Status
from reporting.metrics import METRICS, REGISTRY, Grain, MetricKind
from work_orders.testing import make_dispatched, make_rejected

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
    row = {"period": "2026-03-02", "status": "created", "numerator": 200.0, "denominator": 5, "value": 40.0}
    display = {"value": "40", "p50": "30.1", "p90": "99.8", "numerator": "200", "denominator": "5"}
    assert shown["rows"] == [row | {"p50": 30.0795, "p90": 99.8395, "display": display}]
    assert (shown["metric"]["id"], shown["metric"]["version"]) == ("time_in_status", 2)
    assert (shown["metric"]["unit"], shown["time_zone"], shown["grain"]) == ("seconds", "Asia/Shanghai", "day")
    assert shown["read_up_to"]["positions"] == {"work-orders": {"0": 10}}
    assert shown["read_up_to"]["message_count"] == 10
    assert shown["read_up_to"]["recorded_at"] == "2026-03-02T08:01:40Z"
    first = await _figure(reporting, "time_in_status", version=1, group_by="status")
    assert [(row["value"], row["p50"], row["p90"]) for row in first["rows"]] == [(40.0, 30.0, 76.0)]


async def test_two_versions_of_a_metric_stand_side_by_side(city):
    answer = (await city.get("/figures/time_in_status/versions", "supervisor", group_by="status")).json()
    first, second = answer["items"]
    assert [first["metric"]["version"], second["metric"]["version"]] == [1, 2]
    for one, other in zip(first["rows"], second["rows"], strict=True):
        assert (one["status"], one["numerator"]) == (other["status"], other["numerator"])
    assert any(one["p90"] != other["p90"] for one, other in zip(first["rows"], second["rows"], strict=True))


async def test_a_figure_is_complete_when_the_stream_was_read_beyond_its_window(city):
    assert (await _figure(city, "work_orders_created", to="2025-12-25T00:00:00Z"))["is_complete"] is True
    assert (await _figure(city, "work_orders_created", to="2027-12-25T00:00:00Z"))["is_complete"] is False


async def test_orders_are_counted_by_any_combination(city):
    total = (await _figure(city, "work_orders"))["rows"]
    display = {"value": "40", "numerator": "40"}
    assert total == [{"numerator": 40, "denominator": None, "value": 40, "display": display}]
    of_orders = REGISTRY["work_orders"][0].dimensions
    for size in (1, 2):
        for dimensions in itertools.combinations(of_orders, size):
            rows = (await _figure(city, "work_orders", group_by=[one.value for one in dimensions]))["rows"]
            assert sum(row["value"] for row in rows) == 40
            assert len({tuple(row[one.value] for one in dimensions) for row in rows}) == len(rows)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
async def test_hours_add_up_to_days_and_so_on_to_years(city, zone):
    for metric in ("time_in_status", "work_orders_created", "first_dispatch_accuracy"):
        await _check_that_it_adds_up(city, metric, zone)


async def _check_that_it_adds_up(city, metric, zone):
    asked = {"time_zone": zone, "with_buckets": True}
    (whole,) = (await _figure(city, metric, **asked))["rows"]
    for grain in Grain:
        rows = (await _figure(city, metric, grain=grain.value, **asked))["rows"]
        assert sum(row["numerator"] for row in rows) == pytest.approx(whole["numerator"], abs=1e-5)
        assert sum(row["denominator"] or 0 for row in rows) == (whole["denominator"] or 0)
        assert sum((Counter(row.get("buckets", {})) for row in rows), Counter()) == whole.get("buckets", {})
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
    assert [(row["period"], row["value"]) for row in day["rows"]] == [("2026-11-01", 2)]


async def test_a_window_takes_its_beginning_and_leaves_its_end(reporting, make_stream):
    await reporting.receive(*make_stream("o-1").messages)
    moment = "2026-03-02T08:00:00Z"
    asked = {"from": moment, "to": "2026-03-02T08:00:01Z"}
    assert (await _figure(reporting, "work_orders_created", **asked))["rows"][0]["value"] == 1
    shown = await _figure(reporting, "work_orders_created", **{"from": "2026-03-02T07:00:00Z", "to": moment})
    assert (shown["rows"][0]["value"], shown["window"]["to"]) == (0, moment)


async def test_repair_staff_see_the_figures_of_their_areas_only(city):
    everything = (await _figure(city, "time_in_status", group_by="work_area_id"))["rows"]
    own = (await _figure(city, "time_in_status", "technician", ["N"], group_by="work_area_id"))["rows"]
    assert own == [row for row in everything if row["work_area_id"] == "N"]
    assert (await _figure(city, "time_in_status", "technician"))["rows"][0]["denominator"] == 0


async def test_agents_see_counts_and_no_durations(city):
    assert (await _figure(city, "work_orders", "agent"))["rows"][0]["value"] == 40
    refused = await city.get("/figures/time_in_status", "agent")
    assert (refused.status_code, refused.json()["code"]) == (403, "metric_not_for_role")


CANNOT_BE_ASKED = [
    ("no_such", {}, "metric_not_found"),
    ("work_orders", {"grain": "day"}, "metric_without_time"),
    ("work_orders_created", {"from": "1900-01-01T00:00:00Z"}, "invalid_request"),
    ("work_orders_created", {"to": "9999-12-31T23:59:59Z"}, "invalid_request"),
    ("work_orders_created", {"as_of": "2031-01-01T00:00:00Z"}, "as_of_in_future"),
    ("work_orders_created", {"grain": "minute"}, "invalid_request"),
    ("work_orders_created", {"group_by": "content"}, "invalid_request"),
    ("work_orders_created", {"only": "content:x"}, "invalid_request"),
]


async def test_what_cannot_be_asked_is_refused_by_name(reporting, subtests):
    for metric, asked, code in CANNOT_BE_ASKED:
        with subtests.test(metric=metric, **asked):
            answer = await reporting.get(f"/figures/{metric}", "supervisor", **asked)
            assert answer.json()["code"] == code


async def test_a_figure_of_too_many_rows_is_refused_whole(city, monkeypatch):
    monkeypatch.setattr("reporting.figures.views.MOST_ROWS", 5)
    answer = await city.get("/figures/time_in_status", "supervisor", grain="hour")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_rows")


async def test_the_registry_lists_every_metric_in_every_version(reporting):
    items = (await reporting.get("/metrics", "agent")).json()["items"]
    assert [(item["id"], item["version"]) for item in items] == [(metric.id, metric.version) for metric in METRICS]
    assert {item["kind"] for item in items} >= {MetricKind.COUNT, MetricKind.RATIO, MetricKind.DISTRIBUTION}


async def test_a_figure_counts_only_what_it_is_asked_to(city):
    by_area = {
        row["work_area_id"]: row["value"]
        for row in (await _figure(city, "work_orders", group_by="work_area_id"))["rows"]
    }
    only = (await _figure(city, "work_orders", only="work_area_id:N"))["rows"][0]["value"]
    nowhere = (await _figure(city, "work_orders", only="work_area_id:"))["rows"][0]["value"]
    assert (only, nowhere) == (by_area["N"], by_area[None])
