"""Figures of promised replies over HTTP: kept, broken, put off in time, still running; as of the past; their events."""

from datetime import timedelta
from typing import Any

import pytest
from services.reporting.tests.conftest import CallStream

from contracts import calls as c
from work_orders.testing import BEGIN

HOUR = timedelta(hours=1)


def case(call_id: str, *steps: tuple[type, float, float], agent_id: str = "a-1") -> list[Any]:
    """What is told of a case: what, after how many hours, and for which hour it is promised."""
    stream = CallStream(call_id)
    for place, (kind, hours, reply_by) in enumerate(steps):
        about = {"case_id": f"k-{call_id}", "reply_by": BEGIN + reply_by * HOUR, "agent_id": agent_id, "team": "day"}
        stream.add(kind(fact_id=f"{call_id}:{place}", queue="service", **about), BEGIN + hours * HOUR)
    return stream.messages


@pytest.fixture
async def promised(reporting):
    """Kept, broken and replied to late, broken and promised again, put off in time and kept, never replied to."""
    for messages in (
        case("c-kept", (c.ReplyPromised, 0, 4), (c.ReplyGiven, 4, 4)),
        case("c-late", (c.ReplyPromised, 0, 4), (c.ReplyGiven, 5, 4)),
        case("c-again", (c.ReplyPromised, 0, 4), (c.ReplyPromised, 6, 9), (c.ReplyGiven, 7, 9)),
        case("c-put-off", (c.ReplyPromised, 0, 4), (c.ReplyPromised, 3, 30), (c.ReplyGiven, 29, 30)),
        case("c-open", (c.ReplyPromised, 0, 4), agent_id="a-2"),
    ):
        await reporting.receive(*messages)
    return reporting


async def _sums(reporting, metric: str, **asked: Any) -> tuple[float, float | None]:
    answer = await reporting.get(f"/figures/{metric}", "supervisor", **asked)
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["rows"]
    return row["numerator"], row["denominator"]


async def test_a_promise_is_kept_or_broken_and_one_that_was_put_off_in_time_is_neither(promised):
    assert await _sums(promised, "replies_promised") == (6, None)
    assert await _sums(promised, "replies_in_time") == (3, 6)


async def test_it_counts_when_its_time_is_over_and_for_who_gave_it(promised):
    asked = {"from": BEGIN.isoformat(), "to": (BEGIN + 24 * HOUR).isoformat()}
    assert await _sums(promised, "replies_in_time", **asked) == (2, 5)
    answer = await promised.get("/figures/replies_in_time", "supervisor", group_by="agent_id")
    rows = [(row["agent_id"], row["numerator"], row["denominator"]) for row in answer.json()["rows"]]
    assert rows == [("a-1", 3, 5), ("a-2", 0, 1)]


async def test_as_of_the_past_nobody_knows_what_came_later(promised):
    before, between = BEGIN + 2 * HOUR, BEGIN + 4.5 * HOUR
    assert await _sums(promised, "replies_promised", as_of=before.isoformat()) == (5, None)
    assert await _sums(promised, "replies_in_time", as_of=before.isoformat()) == (0, 0)
    # Put off by then is one, and kept is one; the next promise of what was broken is not given yet.
    assert await _sums(promised, "replies_promised", as_of=between.isoformat()) == (5, None)
    assert await _sums(promised, "replies_in_time", as_of=between.isoformat()) == (1, 4)


async def test_the_events_behind_are_the_promise_and_what_ended_it(promised):
    answer = await promised.get("/figures/replies_in_time/events", "supervisor", group_by="agent_id")
    found = {item["subject"]: [one["version"] for one in item["events"]] for item in answer.json()["items"]}
    assert found["c-kept"] == [1, 2]
    assert found["c-put-off"] == [2, 3]
    assert found["c-open"] == [1]


async def test_a_day_that_is_summed_follows_a_reply_that_comes_later(promised):
    whole = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-08T00:00:00Z", "grain": "week", "time_zone": "UTC"}
    assert await _sums(promised, "replies_in_time", **whole) == (3, 6)
    await promised.receive(*case("c-more", (c.ReplyPromised, 1, 2), (c.ReplyGiven, 2, 2)))
    assert await _sums(promised, "replies_in_time", **whole) == (4, 7)
