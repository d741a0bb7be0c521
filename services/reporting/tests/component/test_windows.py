"""Windows that nobody should ask for, and that get an answer all the same: nothing in them, and ten years of it."""

import csv
import io
import itertools

import pytest
from services.reporting.tests.component.test_reports import _built

from contracts.lifecycle import Status
from reporting.metrics import METRICS, Grain, MetricKind
from work_orders.testing import BEGIN

TEN_YEARS = {"from": "2017-01-01T00:00:00+08:00", "to": "2027-01-01T00:00:00+08:00"}
EMPTY = {"from": "2011-07-01T00:00:00+08:00", "to": "2011-07-08T00:00:00+08:00"}


@pytest.fixture
async def centre(reporting, make_stream, make_call):
    await reporting.receive(*make_stream("o-1", Status.COMPLETED, step=600).messages)
    await reporting.receive(*make_call("c-1", at=BEGIN, wait=4, talk=60).messages)
    return reporting


async def test_an_empty_period_counts_nothing_and_has_no_value_to_show(centre, subtests):
    for metric in (one for one in METRICS if one.has_periods):
        with subtests.test(metric=metric.id, version=metric.version):
            answer = await centre.get(f"/figures/{metric.id}", "supervisor", version=metric.version, **EMPTY)
            (row,) = answer.json()["rows"]
            assert row["numerator"] == 0
            assert row["value"] == (0 if metric.kind is MetricKind.COUNT else None)
            assert answer.json()["is_complete"] is True
            asked = {"version": metric.version, "grain": "day", **EMPTY}
            assert (await centre.get(f"/figures/{metric.id}", "supervisor", **asked)).json()["rows"] == []


async def test_ten_years_are_answered_at_every_grain_with_what_there_is(centre):
    for grain, metric in itertools.product(Grain, ("calls_offered", "work_orders_completed")):
        asked = {"grain": grain.value, **TEN_YEARS}
        (row,) = (await centre.get(f"/figures/{metric}", "supervisor", **asked)).json()["rows"]
        assert (row["period"][:4], row["value"]) == ("2026", 1), grain
    (whole,) = (await centre.get("/figures/speed_of_answer", "supervisor", **TEN_YEARS)).json()["rows"]
    assert (whole["value"], whole["denominator"]) == (4.0, 1)


async def test_an_export_of_an_empty_year_shows_no_ratio_and_says_how_far_it_was_read(centre):
    report, file = await _built(centre, kind="yearly", day="2011-07-01", format="csv", language="en")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    values = {
        row["Metric"]: (row["Numerator"], row["Value"]) for row in rows if row["Section"] == "Key figures of calls"
    }
    # Nought where something is counted, nothing at all where something would be divided.
    assert (values["Calls offered"], values["Connect rate"]) == (("0", "0"), ("0", ""))
    sections = {one["id"]: one for one in report["manifest"]["sections"]}
    assert sections["calls_by_queue"]["row_count"] == 0
