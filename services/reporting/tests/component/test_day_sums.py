"""Sums of days that are made before anybody asks: figures rest on them, and only what has changed is summed again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts import calls as c
from custody.testing import BEGIN
from reporting.figures.summing import KINDS, sum_some

_DAYS = 20


@pytest.fixture
async def centre(reporting, make_call):
    """A call to each of two queues every day for twenty days; reporting has read on beyond them."""
    streams = {
        (day, queue): make_call(f"c-{day}-{queue}", at=BEGIN + timedelta(days=day), wait=10 + day, talk=60, queue=queue)
        for day in range(_DAYS)
        for queue in ("service", "sales")
    }
    later = make_call("later", at=BEGIN + timedelta(days=_DAYS + 10), wait=1)
    await reporting.receive(*(message for one in (*streams.values(), later) for message in one.messages))
    await _sum_all(reporting)
    return streams


async def _sum_all(reporting) -> None:
    for alike in KINDS:
        while await sum_some(reporting.db, alike, now=datetime.now(UTC)):
            pass


async def _rows(reporting, metric, **asked):
    first = BEGIN.date().isoformat()
    last = (BEGIN + timedelta(days=_DAYS)).date().isoformat()
    window = {"from": f"{first}T00:00:00+08:00", "to": f"{last}T00:00:00+08:00", "grain": "day"}
    answer = await reporting.get(f"/figures/{metric}", "supervisor", **{**window, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


@pytest.mark.parametrize(
    "asked", [{}, {"group_by": "queue"}, {"only": "queue:sales"}, {"grain": "month"}, {"with_buckets": True}]
)
@pytest.mark.parametrize("metric", ["service_level_3", "talk_time", "calls_offered", "speed_of_answer"])
async def test_a_usual_figure_is_told_without_a_look_at_the_rows(reporting, centre, metric, asked):
    counted = await _rows(reporting, metric, **asked)
    assert counted
    await reporting.rows("truncate legs_a")
    assert await _rows(reporting, metric, **asked) == counted


async def test_a_late_fact_has_its_own_days_summed_again_and_no_others(reporting, centre):
    before = await _summed_at(reporting)
    stream = centre[3, "service"]
    answered = next(message for message in stream.messages if isinstance(message.body, c.CallAnswered))
    mended = replace(answered.body, revision=2, wait_milliseconds=99_000)
    stream.add(mended, answered.occurred_at, recorded_at=BEGIN + timedelta(days=_DAYS + 11))
    await reporting.receive(stream.messages[-1])
    await _sum_all(reporting)
    after = await _summed_at(reporting)
    again = {day for day, place in before.items() if after[day] > place}
    day = (BEGIN + timedelta(days=3)).date()
    # In Shanghai a day of UTC lies in that day and the next.
    assert again == {day, day + timedelta(days=1)}
    shown = await _rows(reporting, "speed_of_answer", group_by="queue")
    assert {row["numerator"] for row in shown if row["period"] == day.isoformat()} == {99.0, 13.0}


async def _summed_at(reporting):
    rows = await reporting.rows(
        "select day, max(message_count) as place from day_sums where shape like $1 group by day", '%"speed_of_answer"%'
    )
    return {row["day"]: row["place"] for row in rows}


async def test_what_was_summed_is_not_summed_again_until_something_has_come(reporting, centre):
    assert [await sum_some(reporting.db, alike, now=datetime.now(UTC)) for alike in KINDS] == [False] * len(KINDS)
