"""Rows of a figure are in the order of their periods and groups, however they were counted."""

from datetime import timedelta

import pytest

from work_orders.testing import BEGIN

_HOURS = 40
_QUEUES = ("service", "sales", "repair", "", "complaints")


@pytest.mark.parametrize("grain", ["hour", "day"])
async def test_rows_are_in_the_order_of_period_and_group_and_what_has_none_is_last(reporting, make_call, grain):
    calls = [
        make_call(f"c-{hour}-{queue}", at=BEGIN + timedelta(hours=hour), wait=4, talk=60 + hour, queue=queue or None)
        for hour in range(_HOURS)
        for queue in _QUEUES
    ]
    await reporting.receive(*(message for call in calls for message in call.messages))
    asked = {"grain": grain, "group_by": "queue", "from": BEGIN.isoformat()}
    rows = (await reporting.get("/figures/talk_time", "supervisor", with_buckets=True, **asked)).json()["rows"]
    places = [(row["period"], row["queue"] is None, row["queue"] or "") for row in rows]
    assert len(places) >= 2 * len(_QUEUES)
    assert places == sorted(places)
    assert all(list(row["buckets"]) == sorted(row["buckets"], key=int) for row in rows)
