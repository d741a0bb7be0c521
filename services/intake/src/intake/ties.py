"""What belongs together: outages and who is inside them, links that can be undone, orders that may be there already."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis import outbox
from chassis.commands import Reply, etag_of, raise_if_replied, remember
from chassis.database import Statements, Transaction
from chassis.identity import new_id
from chassis.wakeup import PUBLISH
from contracts.codec import new_message
from contracts.lifecycle import Service, Status
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Message
from intake import desk_store
from intake.call_desk import Doing, get_subscriber_id
from intake.call_texts import sealer_in
from intake.domain.desk import (
    LinkedToNothing,
    LinkKnown,
    LinkNotFound,
    LinkToItself,
    LinkUndone,
    OutageChanged,
    OutageEnded,
    OutageNotFound,
    check_restoration,
    check_version,
)
from intake.domain.duplicates import Candidate, Likeness, Reason, candidates
from intake.domain.privacy import SEES_NUMBERS
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see

_OUTAGE = "id, version, territories, cause, began_at, restore_by, ended_at, told_by"


@dataclass(frozen=True, slots=True)
class Outage:
    """Where service fails, why and until when."""

    territories: tuple[str, ...]
    cause: str
    began_at: datetime
    restore_by: datetime | None = None


async def announce_outage(outage: Outage, doing: Doing) -> Reply:
    """Tells of an outage; callers inside it are told from then on."""
    check_restoration(outage.began_at, outage.restore_by)
    async with doing.db.begin() as tx:
        await raise_if_replied(tx, doing.headers.idempotency)
        row = await tx.fetchrow(
            f"""insert into outages (id, version, territories, cause, began_at, restore_by, told_by, changed_at)
                values ($1, 1, $2, $3, $4, $5, $6, $7) returning {_OUTAGE}""",
            new_id(),
            list(outage.territories),
            outage.cause,
            outage.began_at,
            outage.restore_by,
            doing.actor.sub,
            doing.clock.now(),
        )
        assert row is not None
        answer = Reply(201, msgspec.json.encode(dict(row)), etag_of(row["version"]))
        await remember(tx, doing.headers.idempotency, answer)
    return answer


async def change_outage(outage_id: str, doing: Doing, *, restore_by: datetime | None, is_over: bool) -> Reply:
    """Another time of restoration, or the end."""
    now = doing.clock.now()
    async with doing.db.begin() as tx:
        await raise_if_replied(tx, doing.headers.idempotency)
        present = await tx.fetchrow(f"select {_OUTAGE} from outages where id = $1 for update", outage_id)
        if present is None:
            raise OutageNotFound(outage_id=outage_id)
        if present["ended_at"] is not None:
            raise OutageEnded(outage_id=outage_id, ended_at=present["ended_at"].isoformat())
        check_version(OutageChanged, present["version"], doing.headers.if_match)
        check_restoration(present["began_at"], restore_by)
        row = await tx.fetchrow(
            f"""update outages set version = version + 1, restore_by = coalesce($2, restore_by),
                    ended_at = case when $3 then $4::timestamptz end, changed_at = $4
                where id = $1 returning {_OUTAGE}""",
            outage_id,
            restore_by,
            is_over,
            now,
        )
        assert row is not None
        answer = Reply(200, msgspec.json.encode(dict(row)), etag_of(row["version"]))
        await remember(tx, doing.headers.idempotency, answer)
    return answer


async def open_outages(statements: Statements, territory: str | None = None) -> list[dict[str, Any]]:
    """The outages that have not ended, of a territory or of all; the newest first, at most 200."""
    rows = await statements.fetch(
        f"""select {_OUTAGE} from outages
            where ended_at is null and ($1::text is null or territories @> array[$1::text])
            order by began_at desc, id limit 200""",
        territory,
    )
    return [dict(row) for row in rows]


@dataclass(frozen=True, slots=True)
class NewLink:
    order_id: str
    kind: LinkKind
    other_order_id: str | None
    outage_id: str | None
    reason: str
    areas: tuple[str, ...] | None


async def link(new: NewLink, doing: Doing) -> Reply:
    """Says that an order belongs together with another or with an outage; nothing else of either changes."""
    if (new.kind is LinkKind.SAME_OUTAGE) != (new.outage_id is not None) or (
        new.outage_id or new.other_order_id
    ) is None:
        raise LinkedToNothing()
    if new.other_order_id == new.order_id:
        raise LinkToItself()
    async with doing.db.begin() as tx:
        await _require_orders(tx, (new.order_id, new.other_order_id), new.areas)
        await raise_if_replied(tx, doing.headers.idempotency)
        await _refuse_known(tx, new)
        if new.outage_id is not None:
            await _get_cause(tx, new.outage_id)
        shown = await add_link(tx, new, doing)
        answer = Reply(201, msgspec.json.encode(shown))
        await remember(tx, doing.headers.idempotency, answer)
    doing.wakeup.send(PUBLISH)
    return answer


async def _refuse_known(tx: Transaction, new: NewLink) -> None:
    """Of one kind there is one link between two: once it is undone, they are no longer tied."""
    known = await tx.fetchval(
        """select id from links where undone_at is null and kind = $1 and (
               order_id = $2 and other_order_id is not distinct from $3 and outage_id is not distinct from $4
               or order_id = $3 and other_order_id = $2)""",
        new.kind.value,
        new.order_id,
        new.other_order_id,
        new.outage_id,
    )
    if known is not None:
        raise LinkKnown(kind=new.kind.value, link_id=known)


async def link_to_outage(tx: Transaction, order_id: str, outage_id: str, doing: Doing) -> None:
    """Ties an order that was just created to the outage that its caller is inside; raises `OutageNotFound`."""
    cause = await _get_cause(tx, outage_id)
    await add_link(tx, NewLink(order_id, LinkKind.SAME_OUTAGE, None, outage_id, cause, None), doing)


async def _get_cause(tx: Transaction, outage_id: str) -> str:
    cause = await tx.fetchval("select cause from outages where id = $1", outage_id)
    if cause is None:
        raise OutageNotFound(outage_id=outage_id)
    return cause


async def add_link(tx: Transaction, new: NewLink, doing: Doing) -> dict[str, Any]:
    link_id, now = new_id(), doing.clock.now()
    stored = await find_stored_order(tx, new.order_id)
    assert stored is not None
    assert doing.masters is not None
    seal = await sealer_in(tx, stored.order.subscriber_id, doing.actor, masters=doing.masters, now=now)
    row = await tx.fetchrow(
        """insert into links (id, order_id, kind, other_order_id, outage_id, reason, linked_by, linked_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8) returning *""",
        link_id,
        new.order_id,
        new.kind.value,
        new.other_order_id,
        new.outage_id,
        seal(new.reason, new.order_id),
        doing.actor.sub,
        now,
    )
    assert row is not None
    body = WorkOrderLinked(link_id=link_id, kind=new.kind, other_order_id=new.other_order_id, outage_id=new.outage_id)
    await outbox.add(tx, [_notice(body, new.order_id, doing)])
    return dict(row)


async def undo_link(link_id: str, areas: tuple[str, ...] | None, doing: Doing) -> Reply:
    """Takes a link back; that there was one stays on record."""
    async with doing.db.begin() as tx:
        row = await _lock_link(tx, link_id, areas)
        await raise_if_replied(tx, doing.headers.idempotency)
        if row["undone_at"] is not None:
            raise LinkUndone(link_id=link_id, undone_at=row["undone_at"].isoformat())
        changed = {"undone_by": doing.actor.sub, "undone_at": doing.clock.now()}
        await tx.execute("update links set undone_by = $2, undone_at = $3 where id = $1", link_id, *changed.values())
        await outbox.add(tx, [_notice(WorkOrderUnlinked(link_id=link_id), row["order_id"], doing)])
        answer = Reply(200, msgspec.json.encode(dict(row) | changed))
        await remember(tx, doing.headers.idempotency, answer)
    doing.wakeup.send(PUBLISH)
    return answer


async def _lock_link(tx: Transaction, link_id: str, areas: tuple[str, ...] | None) -> Any:
    """The row of a link between orders that the caller may see; of any other, raises `LinkNotFound`."""
    row = await tx.fetchrow("select * from links where id = $1 for update", link_id)
    if row is None:
        raise LinkNotFound(link_id=link_id)
    try:
        await _require_orders(tx, (row["order_id"], row["other_order_id"]), areas)
    except WorkOrderNotFound as error:
        raise LinkNotFound(link_id=link_id) from error
    return row


async def links_of(statements: Statements, order_id: str, areas: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """An order's links, the oldest first; those with an order outside the caller's areas are left out whole."""
    rows = await statements.fetch(
        """select * from links where (order_id = $1 or other_order_id = $1) and ($2::text[] is null
               or other_order_id is null
               or exists (select from work_orders where work_area_id = any($2)
                          and id = case when order_id = $1 then other_order_id else order_id end))
           order by linked_at, id limit 200""",
        order_id,
        None if areas is None else list(areas),
    )
    return [dict(row) for row in rows]


async def _require_orders(tx: Transaction, ids: tuple[str | None, ...], areas: tuple[str, ...] | None) -> None:
    # In the order of ids: two that are linked to each other at once do not wait in a circle.
    for order_id in sorted(filter(None, ids)):
        await _require_order(tx, order_id, areas)


async def _require_order(tx: Transaction, order_id: str, areas: tuple[str, ...] | None) -> None:
    # The row lock keeps what is published here behind the order's creation.
    await tx.execute("select from work_orders where id = $1 for update", order_id)
    stored = await find_stored_order(tx, order_id)
    if stored is None or not may_see(stored.order, areas):
        raise WorkOrderNotFound(order_id=order_id)


def _notice(body: object, order_id: str, doing: Doing) -> Message:
    now = doing.clock.now()
    return new_message(
        body,
        service=Service.INTAKE,
        subject=order_id,
        actor=doing.actor,
        occurred_at=now,
        recorded_at=now,
        correlation_id=doing.headers.correlation_id,
        traceparent=doing.headers.traceparent,
    )


@dataclass(frozen=True, slots=True)
class Intended:
    """An order that somebody is about to create."""

    subscriber_no: str
    demand_type: str
    device_type: str | None = None


async def duplicate_candidates(
    statements: Statements,
    intended: Intended,
    *,
    now: datetime,
    areas: tuple[str, ...] | None,
    roles: AbstractSet[str],
) -> list[Candidate]:
    """The orders that it may be, with a score and why; the likeliest first. Raises `SubscriberNotFound`.

    Numbers are compared for those only who see them: that two are the same tells something of both.
    """
    rules = await desk_store.desk_rules(statements)
    await get_subscriber_id(statements, intended.subscriber_no)
    rows = await statements.fetch(
        """with asked as (
               select id, plain_address(address) as address,
                      array(select unnest(same_number(phone)) from unnest(phones) as phone where $6::bool) as phones
               from subscribers where subscriber_no = $1 or plain_reference(subscriber_no) = $1
           ),
           people as (
               select other.subscriber_no, other.id = asked.id as is_same, other.phones && asked.phones as has_phone,
                      plain_address(other.address) = asked.address as has_address
               from asked join subscribers as other
                   on other.id = asked.id or other.phones && asked.phones
                       or plain_address(other.address) = asked.address
           )
           select orders.id, orders.order_no, orders.status, orders.demand_type, orders.device_type,
                  (orders.body #>> '{created,at}')::timestamptz as created_at, people.*
           from people join work_orders as orders using (subscriber_no)
           where ($2::text[] is null or orders.work_area_id = any($2)) and orders.demand_type = $3
             and (orders.body #>> '{created,at}')::timestamptz > $4::timestamptz - make_interval(hours => $5)
           order by orders.id desc limit 200""",
        intended.subscriber_no,
        list(areas) if areas is not None else None,
        intended.demand_type,
        now,
        rules.duplicate_hours,
        bool(roles & SEES_NUMBERS),
    )
    found = [_likeness(dict(row), intended) for row in rows]
    return list(candidates(found, now=now, window_hours=rules.duplicate_hours, least_score=rules.duplicate_least_score))


def _likeness(row: dict[str, Any], intended: Intended) -> Likeness:
    is_so = {
        Reason.SAME_SUBSCRIBER: row["is_same"],
        Reason.SAME_PHONE: row["has_phone"],
        Reason.SAME_ADDRESS: row["has_address"],
        Reason.SAME_DEMAND: row["demand_type"] == intended.demand_type,
        Reason.SAME_DEVICE: row["device_type"] == intended.device_type,
    }
    reasons = frozenset(reason for reason, holds in is_so.items() if holds)
    return Likeness(row["id"], row["order_no"], Status(row["status"]), row["created_at"], reasons)
