"""A subscription: a topic, the handler of its messages, and the quota of its producers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chassis.database import Database, Transaction
from chassis.parking import RawRecord
from contracts.message import Message
from contracts.topics import Topic

_BATCH_RECORDS = 500

Handler = Callable[[Sequence[Message], Transaction], Awaitable[None]]


class Poison(Exception):
    """The message cannot be applied, now or later, without a repair."""

    def __init__(self, message: Message, reason: str) -> None:
        super().__init__(reason)
        self.message = message
        self.reason = reason


class Gap(Poison):
    """A message before this one is missing."""


Answer = Callable[[RawRecord, str, Transaction], Awaitable[bool]]
"""For an unreadable record and the reason: True when its writer was informed and can send it again, False when it is to
be parked."""

Pace = Callable[[int, Database], Awaitable[float]]
"""For the number of applied records: the seconds to wait before the next read."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a service listens to, and what it does with it."""

    topic: Topic
    handler: Handler
    answer_unreadable: Answer | None = None
    pace: Pace | None = None
    batch_records: int = _BATCH_RECORDS
    when_caught_up: Callable[[Transaction], Awaitable[None]] | None = None
    """What is left to do once a restored database has read everything that was published before."""
