"""The links of an order, and the candidates for a duplicate."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from chassis.database import Statements
from contracts.lifecycle import Status
from intake.links.domain.duplicates import Intended, LikelyDuplicate, LikeOrder, Reason, candidates
from intake.links.domain.links import Link
from intake.links.store import links
from intake.reference import store as reference_store
from intake.subscribers.domain import SEES_NUMBERS
from intake.subscribers.store import get_subscriber_id


async def links_of(statements: Statements, order_id: str, areas: tuple[str, ...] | None) -> list[Link]:
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
    return [links.row_of(row) for row in rows]


async def duplicate_candidates(
    statements: Statements,
    intended: Intended,
    *,
    now: datetime,
    areas: tuple[str, ...] | None,
    roles: AbstractSet[str],
) -> list[LikelyDuplicate]:
    """The orders that it may be, with a score and why; the likeliest first. Raises `SubscriberNotFound`.

    Numbers are compared only for roles that see them: that two are the same reveals something of both.
    """
    rules = await reference_store.desk_rules(statements)
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


def _likeness(row: dict[str, Any], intended: Intended) -> LikeOrder:
    is_so = {
        Reason.SAME_SUBSCRIBER: row["is_same"],
        Reason.SAME_PHONE: row["has_phone"],
        Reason.SAME_ADDRESS: row["has_address"],
        Reason.SAME_DEMAND: row["demand_type"] == intended.demand_type,
        Reason.SAME_DEVICE: row["device_type"] == intended.device_type,
    }
    reasons = frozenset(reason for reason, holds in is_so.items() if holds)
    return LikeOrder(row["id"], row["order_no"], Status(row["status"]), row["created_at"], reasons)
