"""The recount, on orders small enough to count by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import events as e
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.order import WorkOrder, apply
from custody.testing import BEGIN, Stream
from linework.verify.figures import QUESTIONS, Question, Recount, percentile

MINUTE = 60.0
BY_STATUS = Question("work_orders", ("status", "work_area_id"), ("count",))
TIMES = Question("time_in_status", ("status", "work_area_id"), ("count", "sum", "p50", "p90"))
CREATED_BY_DAY = Question("work_orders_created", ("demand_type",), ("count",), "day")
REJECTIONS = Question("rejections_per_dispatch", ("work_area_id",), ("rejections", "dispatches"))


def counted(*streams: list[Message]) -> Recount:
    recount = Recount()
    for messages in streams:
        order: WorkOrder | None = None
        for message in messages:
            before, order = order, apply(order, message)
            recount(before, message, order)
    return recount


def stay(status: str, area: str | None, *minutes: float) -> dict[str, Any]:
    seconds = sorted(one * MINUTE for one in minutes)
    p50, p90 = (percentile([int(one * 1_000_000) for one in seconds], share) for share in (0.5, 0.9))
    return {
        "status": status,
        "work_area_id": area,
        "count": len(seconds),
        "sum": sum(seconds),
        "p50": p50,
        "p90": p90,
        "mean": sum(seconds) / len(seconds),
    }


def test_orders_are_counted_where_they_are_and_times_where_they_were() -> None:
    recount = counted(
        Stream("o-1").until(Status.ARCHIVED).messages,
        Stream("o-2").until(Status.REJECTED).messages,
        Stream("o-3").until(Status.CREATED).messages,
    )
    present = [
        {"status": "archived", "work_area_id": "north", "count": 1},
        {"status": "rejected", "work_area_id": "north", "count": 1},
        {"status": "created", "work_area_id": None, "count": 1},
    ]
    assert recount.differences(BY_STATUS, present) == []
    times = [
        stay("created", None, 1, 1),
        stay("dispatched", "north", 1, 1),
        stay("processing", "north", 1),
        stay("completed", "north", 1),
    ]
    assert recount.differences(TIMES, times) == []
    rejected = [{"work_area_id": "north", "rejections": 1, "dispatches": 2}, {"work_area_id": None} | ZERO]
    assert recount.differences(REJECTIONS, rejected) == []
    created = [{"period": "2026-03-02", "demand_type": "test", "count": 3}]
    assert recount.differences(CREATED_BY_DAY, created) == []


ZERO = {"rejections": 0, "dispatches": 0}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"count": 2}, "count is 2, the recount gives 1"),
        ({"sum": 61.0}, "sum is 61.0, the recount gives 60.0"),
        ({"p90": 60.01}, "p90 is 60.01, the recount gives 60.0"),
        ({"p50": None}, "p50 is None, the recount gives 60.0"),
        ({"work_area_id": "south"}, "processing, south: count is 1, the recount gives 0"),
    ],
)
def test_a_figure_that_is_not_the_recount_is_told(wrong: dict[str, Any], told: str) -> None:
    recount = counted(Stream("o-1").until(Status.COMPLETED).messages)
    shown = [stay("created", None, 1), stay("dispatched", "north", 1), stay("processing", "north", 1) | wrong]
    assert any(told in line for line in recount.differences(TIMES, shown))


def test_a_row_that_is_missing_and_a_row_too_many_are_told() -> None:
    recount = counted(Stream("o-1").until(Status.CREATED).messages)
    assert recount.differences(BY_STATUS, []) == [
        "work_orders by status, work_area_id: created, None: count is None, the recount gives 1"
    ]
    rows = [{"status": status, "work_area_id": None, "count": 1} for status in ("created", "archived")]
    assert recount.differences(BY_STATUS, rows) == [
        "work_orders by status, work_area_id: archived, None: count is 1, the recount gives 0"
    ]


def test_a_day_is_the_day_in_shanghai() -> None:
    stream = Stream("o-1").until(Status.CREATED)
    late = [replace(message, occurred_at=datetime(2026, 3, 2, 16, tzinfo=UTC)) for message in stream.messages]
    created = [{"period": "2026-03-03", "demand_type": "test", "count": 1}]
    assert counted(late).differences(CREATED_BY_DAY, created) == []


def test_an_event_that_is_dated_back_takes_no_time_from_the_status_before_it() -> None:
    stream = Stream("o-1").until(Status.DISPATCHED)
    started = replace(stream.add(e.WorkOrderStarted()), occurred_at=BEGIN - timedelta(hours=1))
    recount = counted([*stream.messages[:-1], started])
    assert recount.differences(TIMES, [stay("created", None, 1), stay("dispatched", "north", 0)]) == []


def test_an_act_that_changes_no_status_ends_no_stay() -> None:
    stream = Stream("o-1").until(Status.PROCESSING)
    stream.add(e.WorkOrderNoteAdded(note="asked"))
    recount = counted(stream.messages)
    assert recount.differences(TIMES, [stay("created", None, 1), stay("dispatched", "north", 1)]) == []


def test_percentiles_lie_between_the_two_nearest() -> None:
    ordered = [1_000_000, 2_000_000, 4_000_000]
    assert [percentile(ordered, share) for share in (0, 0.25, 0.5, 0.75, 1)] == [1.0, 1.5, 2.0, 3.0, 4.0]
    assert percentile([], 0.5) is None


def test_every_metric_and_dimension_is_asked_for() -> None:
    assert {question.metric for question in QUESTIONS} == {
        "work_orders",
        "work_orders_created",
        "time_in_status",
        "rejections_per_dispatch",
    }
    assert {name for question in QUESTIONS for name in question.group_by} == {
        "status",
        "work_area_id",
        "demand_type",
        "device_type",
        "channel",
        "zone",
    }
