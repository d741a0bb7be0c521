"""A subscription: a topic, the handler of its messages, and the quota of its producers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chassis.database import Database, Transaction
from chassis.one_statement import Part, Rows, execute_together
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


@dataclass(frozen=True, slots=True)
class OneStatement:
    """A handler whose whole work is one read and one change. It knows neither locks nor transactions: each change of a
    row that was read is guarded by what was read of it (`Part.least`)."""

    reads: Callable[[Sequence[Message]], Sequence[Part] | None]
    """What must be known before these messages are applied; None where they need the transaction of the handler."""
    writes: Callable[[Sequence[Message], Sequence[Rows]], Sequence[Part] | None]
    """What they change, given the rows of each read; None where these need the transaction. Raises `Poison`."""


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
    one_statement: OneStatement | None = None
    """The handler once more, for batches with which nothing is wrong."""
    answer_unreadable: Answer | None = None
    pace: Pace | None = None
    batch_records: int = _BATCH_RECORDS
    types: frozenset[bytes] | None = None
    """The types of message that the handler has a use for; others are not even decoded. None: every one."""
    takes_turns: bool = False
    """Whether its batches change rows that batches of other subscriptions change too: within a process they then take
    turns, so that none is overtaken between reading and writing."""
    when_caught_up: Callable[[Transaction], Awaitable[None]] | None = None
    """What is left to do once a restored database has read everything that was published before."""

    def is_for(self, record: RawRecord) -> bool:
        """Whether the handler may have a use for a record, by its header; it has for one without a type."""
        if self.types is None:
            return True
        kind = next((value for name, value in record.headers if name == "ce_type"), None)
        return kind is None or kind in self.types

    @classmethod
    def of_changes(
        cls,
        topic: Topic,
        changes: Callable[[Sequence[Message]], Sequence[Part]],
        *,
        types: frozenset[bytes] | None = None,
    ) -> "Subscription":
        """One whose messages change the same, whatever is there."""

        async def handler(messages: Sequence[Message], tx: Transaction) -> None:
            await execute_together(tx, changes(messages))

        at_once = OneStatement(lambda messages: [], lambda messages, read: changes(messages))
        return cls(topic, handler, at_once, types=types)
