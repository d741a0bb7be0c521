"""When a replay may begin, how much of it goes out at once, and how it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts import partners as p
from contracts.codec import new_partner_message
from contracts.message import Message
from intake.partners.domain import Partner
from intake.partners.replays import KeptMessage, Replay, ReplayTooFarBack, begun, most_of_next

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PARTNER = Partner("pbx", "pbx", "pbx", replay_days=7, replay_messages=1000, replay_per_second=50)


def asked(since: datetime) -> Message:
    body = p.PartnerReplayRequested(since=since)
    return new_partner_message(body, partner_id="pbx", event_id="again", subject="r", occurred_at=NOW)


def kept(count: int) -> list[KeptMessage]:
    return [KeptMessage(place, NOW - timedelta(hours=1), asked(NOW)) for place in range(1, count + 1)]


def test_a_replay_begins_where_messages_are_kept() -> None:
    replay = begun(asked(NOW - timedelta(days=7)), PARTNER, now=NOW)
    assert (replay.since, replay.until, replay.message_count) == (NOW - timedelta(days=7), NOW, 0)


@pytest.mark.parametrize("ago", [timedelta(days=7, microseconds=1), timedelta(days=3653)])
def test_a_replay_of_what_is_kept_no_more_is_refused_with_where_it_may_begin(ago: timedelta) -> None:
    with pytest.raises(ReplayTooFarBack) as refused:
        begun(asked(NOW - ago), PARTNER, now=NOW)
    assert refused.value.context["earliest"] == (NOW - timedelta(days=7)).isoformat()
    assert "7" in refused.value.message("zh")


def running(**changes: object) -> Replay:
    return replace(begun(asked(NOW - timedelta(days=1)), PARTNER, now=NOW), **changes)


@pytest.mark.parametrize(
    ("per_second", "sent", "expected"), [(50, 0, 50), (500, 0, 100), (50, 980, 20), (50, 1000, 0), (50, 1001, 0)]
)
def test_a_step_is_at_most_a_second_and_what_the_replay_may_have_left(
    per_second: int, sent: int, expected: int
) -> None:
    assert most_of_next(running(message_count=sent), replace(PARTNER, replay_per_second=per_second)) == expected


def test_the_next_step_waits_as_long_as_this_one_takes_at_the_partners_pace() -> None:
    after = running().followed_by(kept(25), PARTNER, now=NOW)
    assert (after.after_place, after.message_count) == (25, 25)
    assert after.next_at == NOW + timedelta(seconds=0.5)


def test_the_end_says_where_the_next_replay_goes_on() -> None:
    (following,) = kept(1)
    assert running().end(None) == p.PartnerReplayEnded(event_id="again", message_count=0, is_complete=True)
    end = running(message_count=1000).end(following)
    assert (end.is_complete, end.next_since, end.message_count) == (False, following.recorded_at, 1000)
