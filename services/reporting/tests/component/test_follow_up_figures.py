"""Figures of follow-ups over HTTP: coverage, satisfaction and its response rate, as of the past, down to the events."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from services.reporting.tests import rebuild_steps
from services.reporting.tests.world import QualityStream

from contracts import quality as q
from contracts.events import Channel, WorkOrderRedispatchRequested, WorkOrderStarted
from contracts.lifecycle import Status
from work_orders.testing import BEGIN, make_completed, make_dispatched

HOUR = timedelta(hours=1)
DONE = BEGIN + HOUR
_QUESTIONNAIRE = {"questionnaire_id": "visit", "questionnaire_version": 1, "attempt_count": 1}


class FollowUps:
    """What quality tells of follow-ups, each under the key of its first order."""

    def __init__(self) -> None:
        self.streams: dict[str, QualityStream] = {}

    def plan(self, name: str, *orders: str, at: datetime = DONE, late: timedelta = timedelta(), **about: Any) -> None:
        stream = self.streams.setdefault(orders[0] if orders else name, QualityStream(orders[0] if orders else name))
        cause = q.FollowUpCause.COMPLETION if orders else q.FollowUpCause.LIST
        about = about if about or not orders else {"work_area_id": "north", "staff_id": "s-1", "channel": Channel.WEB}
        said = q.FollowUpPlanned(
            follow_up_id=name, project_id="p", cause=cause, subscriber_no="1", due_by=at, order_ids=orders, **about
        )
        stream.add(said, at, recorded_at=at + late)

    def end(
        self,
        name: str,
        key: str,
        end: q.FollowUpEnd = q.FollowUpEnd.COMPLETED,
        *,
        score: int | None = None,
        at: datetime = DONE + HOUR,
        late: timedelta = timedelta(),
        is_late: bool = False,
    ) -> None:
        own = {"follow_up_id": name, "project_id": "p"}
        ended = q.FollowUpEnded(**own, end=end, caller_id="a-1", is_late=is_late, **_QUESTIONNAIRE)
        self.streams[key].add(ended, at, recorded_at=at + late)
        if score:
            self.streams[key].add(q.SatisfactionGiven(**own, score=score, highest=5), at, recorded_at=at + late)

    @property
    def messages(self) -> list[Any]:
        return [message for stream in self.streams.values() for message in stream.messages]


@pytest.fixture
def follow_ups() -> FollowUps:
    return FollowUps()


@pytest.fixture
async def ten_orders(reporting, make_stream, follow_ups):
    """Ten completed orders, four of them followed up: answered, late, unreachable, withdrawn; and a list of one."""
    for number in range(10):
        await reporting.receive(*make_stream(f"o-{number}", Status.COMPLETED, step=600).messages)
    for number in range(4):
        follow_ups.plan(f"f-{number}", f"o-{number}")
    follow_ups.plan("f-list")
    follow_ups.end("f-0", "o-0", score=5)
    follow_ups.end("f-1", "o-1", is_late=True)
    follow_ups.end("f-2", "o-2", q.FollowUpEnd.UNREACHABLE)
    follow_ups.end("f-3", "o-3", q.FollowUpEnd.WITHDRAWN)
    follow_ups.end("f-list", "f-list", score=2)
    await reporting.receive(*follow_ups.messages)
    return reporting


async def _rows(reporting, metric, role="supervisor", areas=None, **asked):
    answer = await reporting.get(f"/figures/{metric}", role, areas, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


async def _sums(reporting, metric, *more, **asked):
    (row,) = await _rows(reporting, metric, *more, **asked)
    return row["numerator"], row["denominator"]


EXPECTED = {
    "follow_ups_planned": (4, None),
    "follow_up_coverage": (2, 10),
    "follow_ups_answered": (3, 4),
    "follow_ups_in_time": (2, 4),
    "follow_up_satisfaction": (7, 10),
    "follow_up_response_rate": (2, 4),
}


async def _all(reporting, **asked):
    return {metric: await _sums(reporting, metric, **asked) for metric in EXPECTED}


async def test_coverage_satisfaction_and_response_rate_of_a_worked_example(ten_orders):
    assert await _all(ten_orders) == EXPECTED


async def test_they_can_be_told_by_area_staff_demand_and_channel_and_by_who_called(ten_orders):
    by = {
        "work_area_id": {"north": (5, 5), None: (2, 5)},
        "staff_id": {"s-1": (5, 5), None: (2, 5)},
        "channel": {"web": (5, 5), None: (2, 5)},
        "agent_id": {"a-1": (7, 10)},
    }
    for dimension, expected in by.items():
        rows = await _rows(ten_orders, "follow_up_satisfaction", group_by=dimension)
        assert {row[dimension]: (row["numerator"], row["denominator"]) for row in rows} == expected
    days = await _rows(ten_orders, "follow_up_satisfaction", grain="day")
    assert [(row["period"], row["numerator"]) for row in days] == [("2026-03-02", 7)]


async def test_repair_staff_see_those_of_their_area(ten_orders):
    assert await _sums(ten_orders, "follow_up_satisfaction", "technician", ["north"]) == (5, 5)
    assert await _sums(ten_orders, "follow_up_satisfaction", "technician", ["south"]) == (0, 0)


async def test_what_is_told_again_counts_once(ten_orders, follow_ups):
    await ten_orders.receive(*follow_ups.messages)
    await ten_orders.receive(follow_ups.messages[-1], follow_ups.messages[0])
    assert await _all(ten_orders) == EXPECTED


async def test_a_figure_as_of_a_past_moment_knows_only_what_was_recorded_by_then(ten_orders):
    nothing = dict.fromkeys(EXPECTED, (0, 0)) | {"follow_ups_planned": (0, None)}
    before, planned = (BEGIN.isoformat(), (DONE + HOUR / 2).isoformat())
    assert await _all(ten_orders, as_of=before) == nothing
    # The one that was withdrawn later was not withdrawn then.
    assert await _all(ten_orders, as_of=planned) == nothing | {
        "follow_ups_planned": (5, None),
        "follow_up_coverage": (0, 10),
    }


async def test_a_late_end_corrects_the_hour_that_it_belongs_to(reporting, follow_ups):
    follow_ups.plan("f-1", "o-1")
    follow_ups.end("f-1", "o-1", score=4, late=3 * HOUR)
    await reporting.receive(*follow_ups.messages)
    path = "/figures/follow_up_satisfaction/corrections"
    (correction,) = (await reporting.get(path, "supervisor")).json()["items"]
    assert correction["hour"] == "2026-03-02T10:00:00Z"
    assert [correction[name]["numerator"] for name in ("before", "after")] == [0, 4]


async def test_days_that_were_summed_up_are_counted_again_when_more_is_told(reporting, follow_ups):
    window = {"from": "2026-02-28T00:00:00+08:00", "to": "2026-03-09T00:00:00+08:00", "grain": "week"}
    follow_ups.plan("f-1", "o-1")
    follow_ups.plan("f-2", "o-2", at=DONE + timedelta(days=20))
    await reporting.receive(*follow_ups.messages)
    assert await _rows(reporting, "follow_ups_answered", **window) == []
    follow_ups.end("f-1", "o-1", score=4)
    await reporting.receive(*follow_ups.messages)
    (row,) = await _rows(reporting, "follow_ups_answered", **window)
    assert (row["numerator"], row["denominator"]) == (1, 1)


async def test_behind_a_figure_are_the_messages_of_its_own_follow_ups(ten_orders, follow_ups):
    follow_ups.plan("f-again", "o-0")
    await ten_orders.receive(*follow_ups.messages)
    items = (await ten_orders.get("/figures/follow_up_satisfaction/events", "supervisor")).json()["items"]
    told = {item["subject"]: [one["type"].split(".")[2] for one in item["events"]] for item in items}
    scored = ["follow_up_planned", "follow_up_ended", "satisfaction_given"]
    assert told == {"o-0": scored, "f-list": scored}
    covered = (await ten_orders.get("/figures/follow_up_coverage/events", "supervisor")).json()["items"]
    kinds = {item["subject"]: [one["type"].split(".")[2] for one in item["events"]] for item in covered}
    assert kinds["o-1"] == ["completed", "follow_up_planned", "follow_up_ended"]
    assert kinds["o-9"] == ["completed"]


async def test_a_follow_up_covers_every_order_that_joined_it(reporting, make_stream, follow_ups):
    for number in range(3):
        await reporting.receive(*make_stream(f"o-{number}", Status.COMPLETED, step=600).messages)
    follow_ups.plan("f-1", "o-0", "o-1")
    follow_ups.end("f-1", "o-0", score=5)
    joined = q.FollowUpJoined(follow_up_id="f-1", project_id="p", order_id="o-2")
    follow_ups.streams["o-0"].add(joined, DONE + 3 * HOUR)
    await reporting.receive(*follow_ups.messages)
    assert await _sums(reporting, "follow_up_coverage") == (3, 3)
    assert await _sums(reporting, "follow_up_coverage", as_of=(DONE + 2 * HOUR).isoformat()) == (2, 3)
    assert await _sums(reporting, "follow_up_satisfaction") == (5, 5)


async def test_an_order_that_is_completed_again_is_one_order(reporting, make_stream, follow_ups):
    stream = make_stream("o-1", Status.COMPLETED, step=600)
    for again in (WorkOrderRedispatchRequested(reason="x"), make_dispatched(), WorkOrderStarted(), make_completed()):
        stream.after(days=1).add(again)
    await reporting.receive(*stream.messages)
    rows = await _rows(reporting, "follow_up_coverage", grain="day")
    assert [(row["period"], row["denominator"]) for row in rows] == [("2026-03-06", 1)]


async def test_the_timeline_of_an_order_is_its_own_stream(ten_orders):
    answer = await ten_orders.get("/work-orders/o-0/timeline", "supervisor")
    assert {one["service"] for one in answer.json()["items"]} == {"intake", "dispatch", "fieldwork"}
    page = (await ten_orders.get("/events", "supervisor", topic="quality")).json()["items"]
    assert len(page) == len({one["id"] for one in page}) == 12


async def test_a_rebuild_has_the_follow_ups_of_orders_and_of_lists(ten_orders, follow_ups):
    rebuild = await rebuild_steps.request(ten_orders)
    await rebuild_steps.finish(ten_orders)
    (row,) = await ten_orders.rows("select state, difference_count, order_count, done_count from rebuilds")
    assert tuple(row) == ("ready", 0, 11, 11)
    await rebuild_steps.switch(ten_orders, rebuild["id"])
    assert await _all(ten_orders) == EXPECTED
