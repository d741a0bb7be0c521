"""Which orders one about to be created may be, with a score and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.lifecycle import Status
from intake.links.domain.duplicates import LikeOrder, Reason, candidates

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OLD = NOW - timedelta(days=30)


def make_likeness(*reasons: Reason, **overrides: Any) -> LikeOrder:
    values = {"order_id": "a", "order_no": "1", "status": Status.ARCHIVED, "created_at": OLD} | overrides
    return LikeOrder(reasons=frozenset(reasons), **values)


def score(*reasons: Reason, **overrides: Any) -> int:
    (found,) = candidates([make_likeness(*reasons, **overrides)], now=NOW, window_hours=100, least_score=0)
    return found.score


@pytest.mark.parametrize(
    ("reasons", "points"),
    [
        ((Reason.SAME_SUBSCRIBER,), 40),
        ((Reason.SAME_SUBSCRIBER, Reason.SAME_PHONE, Reason.SAME_ADDRESS), 40),
        ((Reason.SAME_PHONE, Reason.SAME_ADDRESS), 25),
        ((Reason.SAME_PHONE, Reason.SAME_DEMAND, Reason.SAME_DEVICE), 55),
        ((), 0),
    ],
)
def test_of_subscriber_phone_and_address_the_strongest_counts(reasons: tuple[Reason, ...], points: int) -> None:
    assert score(*reasons) == points


@pytest.mark.parametrize(("hours", "points"), [(0, 10), (50, 5), (100, 0), (200, 0), (-5, 10)])
def test_a_recent_order_counts_more(hours: int, points: int) -> None:
    assert score(created_at=NOW - timedelta(hours=hours)) == points


@pytest.mark.parametrize("status", list(Status))
def test_an_open_order_counts_more_than_a_closed_one(status: Status) -> None:
    is_closed = status in (Status.ARCHIVED, Status.CANCELLED)
    assert score(status=status) == (0 if is_closed else 20)


def test_everything_alike_scores_a_hundred() -> None:
    reasons = (Reason.SAME_SUBSCRIBER, Reason.SAME_DEMAND, Reason.SAME_DEVICE)
    assert score(*reasons, status=Status.CREATED, created_at=NOW) == 100


def test_the_likeliest_stands_first_and_the_unlikely_are_left_out() -> None:
    found = [
        make_likeness(Reason.SAME_PHONE, order_id="phone"),
        make_likeness(order_id="none"),
        make_likeness(Reason.SAME_SUBSCRIBER, order_id="own", status=Status.CREATED),
    ]
    kept = candidates(found, now=NOW, window_hours=100, least_score=25)
    assert [one.order_id for one in kept] == ["own", "phone"]
    assert kept[0].reasons == (Reason.SAME_SUBSCRIBER, Reason.STILL_OPEN)
    assert (kept[0].is_open, kept[1].is_open) == (True, False)
