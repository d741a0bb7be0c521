"""Rows of subscribers."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from chassis.database import Statements, Transaction
from intake.subscribers.domain import CALLER_KINDS, Subscriber, SubscriberNotFound

_FIELDS = tuple(field.name for field in fields(Subscriber) if field.name != "is_masked")
SUBSCRIBER = ", ".join(_FIELDS)
"""The columns that `to_subscriber` reads."""


def to_subscriber(row: Any) -> Subscriber:
    return Subscriber(**{**row, "phones": tuple(row["phones"])})


async def find_subscriber(statements: Statements, subscriber_id: str, *, is_locked: bool = False) -> Subscriber | None:
    """The subscriber; with `is_locked` held until the commit."""
    lock = " for no key update" if is_locked else ""
    row = await statements.fetchrow(f"select {SUBSCRIBER} from subscribers where id = $1{lock}", subscriber_id)
    return to_subscriber(row) if row else None


async def subscriber_numbers(statements: Statements, subscriber_no: str) -> list[str]:
    """The number as it is stored, also where it was stored before numbers had one spelling, and those of the callers
    who are tied to the subscriber."""
    rows = await statements.fetch(
        """with named as (select id, subscriber_no from subscribers
               where subscriber_no = $1 or plain_reference(subscriber_no) = $1)
           select subscriber_no from named union select caller.subscriber_no from named
               join tied_callers on tied_callers.subscriber_id = named.id
               join subscribers as caller on caller.id = caller_id
           order by subscriber_no""",
        subscriber_no,
    )
    return [row["subscriber_no"] for row in rows]


async def lock_numbered(tx: Transaction, subscriber_no: str) -> Subscriber:
    """A subscriber with a number of their own, who is not erased before the commit; raises `SubscriberNotFound`."""
    row = await tx.fetchrow(
        f"""select {SUBSCRIBER} from subscribers
            where (subscriber_no = $1 or plain_reference(subscriber_no) = $1) and kind <> all($2::text[])
            order by subscriber_no <> $1 limit 1 for share""",
        subscriber_no,
        list(CALLER_KINDS),
    )
    if row is None:
        raise SubscriberNotFound(subscriber_no=subscriber_no)
    return to_subscriber(row)


async def tie(tx: Transaction, caller_id: str, subscriber_id: str, *, by: str, at: datetime) -> None:
    """The last one counts: a caller who was tied to somebody else is tied anew."""
    await tx.execute(
        """insert into tied_callers (caller_id, subscriber_id, tied_by, tied_at) values ($1, $2, $3, $4)
           on conflict (caller_id) do update set subscriber_id = excluded.subscriber_id,
               tied_by = excluded.tied_by, tied_at = excluded.tied_at""",
        caller_id,
        subscriber_id,
        by,
        at,
    )


async def callers_of(statements: Statements, subscriber_id: str) -> list[str]:
    """The ids of the callers who are tied to a subscriber."""
    rows = await statements.fetch(
        "select caller_id from tied_callers where subscriber_id = $1 order by caller_id", subscriber_id
    )
    return [row["caller_id"] for row in rows]


async def numbers_of_phone(statements: Statements, phone: str) -> list[str]:
    """The numbers of the subscribers who have this phone."""
    rows = await statements.fetch("select subscriber_no from subscribers where phones && same_number($1)", phone)
    return [row["subscriber_no"] for row in rows]


async def similar_numbers(statements: Statements, subscriber_no: str) -> list[str]:
    """Some numbers of other subscribers that look like this one."""
    rows = await statements.fetch(
        """select subscriber_no from subscribers where look_alike(subscriber_no) = look_alike($1)
               and subscriber_no <> $1 order by subscriber_no limit 10""",
        subscriber_no,
    )
    return [row["subscriber_no"] for row in rows]


async def insert_subscriber(tx: Transaction, subscriber: Subscriber, *, now: datetime) -> bool:
    """Whether it was inserted; False when the number belongs to another subscriber."""
    done = await tx.execute(
        f"""insert into subscribers ({SUBSCRIBER}, created_at, changed_at)
            select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11
            where not exists (select from subscribers where plain_reference(subscriber_no) = $3)
            on conflict (subscriber_no) do nothing""",
        *_values(subscriber),
        now,
    )
    return done == "INSERT 0 1"


async def update_subscriber(tx: Transaction, subscriber: Subscriber, *, now: datetime) -> None:
    """Writes the next version of a subscriber that this transaction has locked."""
    await tx.execute(
        f"update subscribers set ({SUBSCRIBER}, changed_at) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " where id = $1",
        *_values(subscriber),
        now,
    )


def _values(subscriber: Subscriber) -> list[Any]:
    return [getattr(subscriber, name) for name in _FIELDS]


async def get_subscriber_id(statements: Statements, subscriber_no: str) -> str:
    """Raises `SubscriberNotFound`."""
    found = await statements.fetchval(
        """select id from subscribers where subscriber_no = $1 or plain_reference(subscriber_no) = $1
           order by subscriber_no <> $1 limit 1""",
        subscriber_no,
    )
    if found is None:
        raise SubscriberNotFound(subscriber_no=subscriber_no)
    return found
