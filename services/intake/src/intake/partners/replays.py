"""Replays of what a partner was told: whether one may begin, how much of it is sent next, and when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts import partners as p
from contracts.message import Message
from contracts.refusals import Conflict, Invalid
from intake.partners.domain import Partner

_MOST_AT_ONCE = 100


class ReplayTooFarBack(Invalid):
    """Messages are kept for {days} days: a replay begins at {earliest:time} or later."""

    zh = "消息保留 {days} 天：重放的起始时间不得早于 {earliest:time}。"


class ReplayRunning(Conflict):
    """The replay {event_id} is running; the next one can be asked for when it has ended."""

    zh = "重放 {event_id} 正在进行；结束后方可再次请求。"


@dataclass(frozen=True, slots=True)
class Replay:
    """A running replay, sent up to the message at (`after_at`, `after_place`)."""

    partner_id: str
    event_id: str
    subject: str
    since: datetime
    until: datetime
    """What is sent from then on reaches the partner anyway."""
    after_at: datetime
    after_place: int
    message_count: int
    next_at: datetime

    def followed_by(self, sent: Sequence["KeptMessage"], partner: Partner, *, now: datetime) -> "Replay":
        """After some more messages; what comes next waits as long as these take at the partner's pace."""
        last = sent[-1]
        return replace(
            self,
            after_at=last.recorded_at,
            after_place=last.place,
            message_count=self.message_count + len(sent),
            next_at=now + timedelta(seconds=len(sent) / partner.replay_per_second),
        )

    def end(self, following: "KeptMessage | None") -> p.PartnerReplayEnded:
        return p.PartnerReplayEnded(
            event_id=self.event_id,
            message_count=self.message_count,
            is_complete=following is None,
            next_since=following.recorded_at if following else None,
        )


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message that a partner was sent, and its place among those."""

    place: int
    recorded_at: datetime
    message: Message


def begun(asked: Message, partner: Partner, *, now: datetime) -> Replay:
    """The replay that a partner asks for; raises `ReplayTooFarBack`."""
    since, earliest = asked.body.since, now - timedelta(days=partner.replay_days)
    if since < earliest:
        raise ReplayTooFarBack(days=partner.replay_days, earliest=earliest.isoformat())
    return Replay(partner.id, asked.id, asked.subject, since, now, since, 0, 0, now)


def most_of_next(replay: Replay, partner: Partner) -> int:
    """How many messages are sent at once: about a second of them, and not more than the replay may have."""
    return max(0, min(_MOST_AT_ONCE, partner.replay_per_second, partner.replay_messages - replay.message_count))
