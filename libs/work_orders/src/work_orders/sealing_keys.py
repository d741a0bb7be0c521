"""The copy of everybody's sealing keys that a service keeps, wrapped, and the few at hand that are unwrapped.

Intake issues and destroys keys and tells everybody on a topic of their own. So no service asks intake before
it writes a remark or shows one. Orders and keys are two topics: a text can arrive before its key, or after
its key was destroyed. A newer version of a key takes the older one's place; that it was destroyed is the
newest version and stays, so that a repeat of what was before brings nothing back.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from chassis.database import Database, Transaction, columns_of, unnest_of
from chassis.one_statement import Part, execute_together
from chassis.sealing import DoesNotOpen, MasterKeys, SealingKey, Wrapped
from chassis.wait_for_version import caught_up
from chassis.wakeup import Wakeup
from contracts.message import Message
from contracts.refusals import Conflict, Unavailable
from contracts.sealing import SealedText, SealingKeyDestroyed, SealingKeyIssued
from work_orders.tables import SEALING_KEYS

log = logging.getLogger(__name__)

_SECONDS_AT_HAND = 10.0
_MOST_AT_HAND = 20_000
_UPSERT = f"""
insert into sealing_keys ({columns_of(SEALING_KEYS.c)})
select * from {unnest_of(SEALING_KEYS.c)}
on conflict (subscriber_id) do update set entity_version = excluded.entity_version,
master_key_id = excluded.master_key_id, wrapped = excluded.wrapped
where sealing_keys.entity_version < excluded.entity_version"""

Key = SealingKey | SealedText
"""A key, or why there is none."""
_Stored = tuple[str | None, str | None]
"""As it stands in the table: the id of the master key, and what was wrapped with it."""


class SealingKeyNotArrived(Unavailable):
    """The sealing key of this subscriber has not arrived at this service yet; retry with the same Idempotency-Key."""

    zh = "该用户文字内容的密钥尚未到达本服务；请使用相同的 Idempotency-Key 重试。"


class SubscriberErased(Conflict):
    """The order's subscriber was erased; no text about them can be stored."""

    zh = "该工单的用户资料已删除，不能再记录与其有关的文字。"


async def on_sealing_keys(messages: Sequence[Message], tx: Transaction) -> None:
    """Takes a batch into the copy, within a transaction that does more."""
    await execute_together(tx, sealing_keys_of(messages))


def sealing_keys_of(messages: Sequence[Message]) -> list[Part]:
    """Takes a batch into the copy."""
    newest: dict[str, Message] = {}
    for message in messages:
        present = newest.get(message.subject)
        if isinstance(message.body, SealingKeyIssued | SealingKeyDestroyed) and (
            present is None or (present.entity_version or 0) < (message.entity_version or 0)
        ):
            newest[message.subject] = message
    if not newest:
        return []
    # In the order of keys: two workers with overlapping batches queue instead of deadlocking.
    rows = [_row(newest[subject]) for subject in sorted(newest)]
    return [Part(_UPSERT, [list(column) for column in zip(*rows, strict=True)])]


def _row(message: Message) -> tuple[str, int | None, str | None, str | None]:
    body = message.body
    wrapped = (body.master_key_id, body.wrapped) if isinstance(body, SealingKeyIssued) else (None, None)
    return message.subject, message.entity_version, *wrapped


def key_place(subscriber_id: str) -> str:
    """The associated data of a wrapped key."""
    return f"linework:1:key:{subscriber_id}"


class SealingKeys:
    """The keys of one service. Unwrapped ones are kept for ten seconds: erasure reaches every process by then."""

    def __init__(
        self, db: Database, masters: MasterKeys, wakeup: Wakeup, *, catch_up_seconds: float, clock: Any = time.monotonic
    ) -> None:
        self.masters = masters
        self._db = db
        self._wakeup = wakeup
        self._catch_up_seconds = catch_up_seconds
        self._clock = clock
        self._at_hand: OrderedDict[str, tuple[float, Key, _Stored]] = OrderedDict()
        """By subscriber: until when, the key, and what it was unwrapped from."""

    async def find(self, subscriber_ids: Collection[str], *, waits: bool = False) -> Mapping[str, Key]:
        """For each subscriber the key, or why there is none. With `waits`, keys on their way are waited for.

        At most one query. No database connection may be held meanwhile.
        """
        self._let_go()
        found = {one: self._at_hand[one][1] for one in subscriber_ids if one in self._at_hand}
        missing = [one for one in subscriber_ids if one not in found]
        if not missing:
            return found
        read = await caught_up(
            lambda: self._read(missing),
            lambda keys: SealedText.NOT_HERE_YET not in keys.values(),
            wakeup=self._wakeup,
            seconds=self._catch_up_seconds if waits else 0.0,
        )
        return found | read

    async def get_for_writing(self, subscriber_id: str) -> SealingKey:
        """The key to seal a text with; raises `SubscriberErased` or `SealingKeyNotArrived`."""
        key = (await self.find([subscriber_id], waits=True))[subscriber_id]
        if isinstance(key, SealingKey):
            return key
        if key is SealedText.ERASED:
            raise SubscriberErased()
        raise SealingKeyNotArrived()

    def learn(self, subscriber_id: str, master_key_id: str | None, wrapped: str | None) -> Key:
        """Keeps at hand what a query has brought along."""
        stored = (master_key_id, wrapped)
        known = self._at_hand.pop(subscriber_id, None)
        # Every act brings its subscriber's key along: to unwrap the same one again costs more than to open its texts.
        key = known[1] if known and known[2] == stored else self._unwrapped(subscriber_id, master_key_id, wrapped)
        self._at_hand[subscriber_id] = (self._clock() + _SECONDS_AT_HAND, key, stored)
        return key

    def forget(self) -> None:
        """Lets go of all that is at hand: what is asked for next is read."""
        self._at_hand.clear()

    async def _read(self, subscriber_ids: Iterable[str]) -> dict[str, Key]:
        async with self._db.statements() as statements:
            rows = await statements.fetch(
                "select subscriber_id, master_key_id, wrapped from sealing_keys where subscriber_id = any($1)",
                list(subscriber_ids),
            )
        here: dict[str, Key] = {row["subscriber_id"]: self.learn(*row) for row in rows}
        return {one: here.get(one, SealedText.NOT_HERE_YET) for one in subscriber_ids}

    def _unwrapped(self, subscriber_id: str, master_key_id: str | None, wrapped: str | None) -> Key:
        if master_key_id is None or wrapped is None:
            return SealedText.ERASED
        try:
            return self.masters.unwrap(Wrapped(master_key_id, wrapped), place=key_place(subscriber_id))
        except DoesNotOpen:
            log.error("a sealing key does not open", extra={"master_key": master_key_id, "subscriber": subscriber_id})
            return SealedText.UNREADABLE

    def _let_go(self) -> None:
        """Of what is too old, and of the oldest when there are too many."""
        now = self._clock()
        while self._at_hand and (next(iter(self._at_hand.values()))[0] <= now or len(self._at_hand) > _MOST_AT_HAND):
            self._at_hand.popitem(last=False)
