"""How likely it is that an order is there already: what is alike, whether it is open, and how long ago it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.lifecycle import Status
from intake.links.domain.duplicates import POINTS, Candidate, Likeness, Reason, candidates

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
LONG_AGO = timedelta(hours=999)


def make_likeness(*reasons: Reason, age: timedelta = LONG_AGO, **overrides: Any) -> Likeness:
    values = {"order_id": "o-1", "order_no": "no-1", "status": Status.ARCHIVED} | overrides
    return Likeness(created_at=NOW - age, reasons=frozenset(reasons), **values)


def found(*likenesses: Likeness, least_score: int = 0) -> list[Candidate]:
    return list(candidates(likenesses, now=NOW, window_hours=100, least_score=least_score))


@pytest.mark.parametrize(
    ("reasons", "score"),
    [
        ((Reason.SAME_SUBSCRIBER,), 40),
        ((Reason.SAME_PHONE,), 25),
        ((Reason.SAME_SUBSCRIBER, Reason.SAME_PHONE, Reason.SAME_ADDRESS), 40),
        ((Reason.SAME_PHONE, Reason.SAME_ADDRESS), 25),
        ((Reason.SAME_DEMAND, Reason.SAME_DEVICE), 30),
        ((Reason.SAME_SUBSCRIBER, Reason.SAME_DEMAND, Reason.SAME_DEVICE), 70),
        ((), 0),
    ],
)
def test_of_who_it_is_for_the_strongest_likeness_counts_and_the_rest_is_added(
    reasons: tuple[Reason, ...], score: int
) -> None:
    assert [one.score for one in found(make_likeness(*reasons))] == [score]


@pytest.mark.parametrize(("hours", "recency"), [(-5, 10), (0, 10), (50, 5), (90, 1), (100, 0), (200, 0)])
def test_an_order_counts_less_the_longer_ago_it_was_created(hours: int, recency: int) -> None:
    assert found(make_likeness(age=timedelta(hours=hours)))[0].score == recency


@pytest.mark.parametrize("status", Status)
def test_an_order_that_is_still_open_is_likelier(status: Status) -> None:
    (one,) = found(make_likeness(Reason.SAME_PHONE, status=status))
    assert one.is_open == (status not in (Status.ARCHIVED, Status.CANCELLED))
    assert one.score == 25 + (20 if one.is_open else 0)
    assert (Reason.STILL_OPEN in one.reasons) == one.is_open


def test_everything_alike_at_this_moment_is_a_hundred() -> None:
    (one,) = found(make_likeness(*POINTS, status=Status.CREATED, age=timedelta(0)))
    assert (one.score, one.reasons) == (100, tuple(Reason))


def test_the_likeliest_comes_first_and_what_scores_too_little_is_left_out() -> None:
    likenesses = [
        make_likeness(Reason.SAME_PHONE, order_id="b"),
        make_likeness(Reason.SAME_SUBSCRIBER, order_id="c"),
        make_likeness(Reason.SAME_PHONE, order_id="a"),
        make_likeness(Reason.SAME_DEMAND, order_id="d"),
    ]
    assert [one.order_id for one in found(*likenesses, least_score=25)] == ["c", "a", "b"]
    assert found(*likenesses, least_score=41) == []
