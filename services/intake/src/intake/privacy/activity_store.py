"""When something last happened with a subscriber, and which subscribers had no activity for long, for erasing by age.

Everything that concerns a subscriber counts. A table that comes to hold more about them has its line in `_ACTS`:
without it a subscriber who was in touch yesterday is erased.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.database import Statements, Transaction
from contracts import quality as q
from contracts.message import Message

_THEIR_ORDERS = "select id from work_orders where work_orders.subscriber_no = one.subscriber_no"
_ACTS = f"""
    with their_calls as materialized (
        select id from calls where subscriber_id = one.id
        union all
        select id from calls where subscriber_id is null
            and caller in (select unnest(same_number(phone)) from unnest(one.phones) as phone)
    )
    select one.changed_at as at, 'subscriber' as kind
    union all select max(changed_at), 'work_order' from work_orders where subscriber_no = one.subscriber_no
    union all select max(greatest(asked_at, answered_at)), 'request' from requests where order_id in ({_THEIR_ORDERS})
    union all select max(greatest(linked_at, undone_at)), 'link' from links where order_id in ({_THEIR_ORDERS})
    union all select max(greatest(linked_at, undone_at)), 'link' from links where other_order_id in ({_THEIR_ORDERS})
    union all select max(last_at), 'follow_up' from follow_up_activity
        where subscriber_no in (one.subscriber_no, plain_reference(one.subscriber_no))
    union all select max(greatest(set_at, lifted_at)), 'legal_hold' from legal_holds where subscriber_id = one.id
    union all select max(revealed_at), 'reveal' from reveals where subscriber_id = one.id
    union all select max(greatest(started_at, answered_at, ended_at, changed_at)), 'call' from calls
        where id in (select id from their_calls)
    union all select max(changed_at), 'call' from call_records where call_id in (select id from their_calls)
    union all select max(settled_at), 'call' from settlements where call_id in (select id from their_calls)
    union all select max(case when answered_at is null then 'infinity' else answered_at end), 'referral'
        from referrals where call_id in (select id from their_calls)
    union all select max(case when replied_at is null then 'infinity' else greatest(replied_at, reply_by) end), 'case'
        from cases where call_id in (select id from their_calls)"""
"""Of the subscriber `one`. Their calls, and calls from their numbers that are assigned to no subscriber; what a partner
sends is a call or an order. A list of follow-ups names a subscriber in plain spelling, also one stored in another. A
question or a promise that is still open has no end."""

_LAST = f"(select at, kind from ({_ACTS}) as act where at is not null order by at desc limit 1)"

_DUE = f"""from subscribers as one cross join lateral {_LAST} as act
    where one.changed_at < $1 and act.at < $1
      and not exists (select from work_orders where work_orders.subscriber_no = one.subscriber_no
                      and status not in ('archived', 'cancelled'))
      and not exists (select from legal_holds where subscriber_id = one.id and lifted_at is null)"""


async def due_subscribers(statements: Statements, since: datetime, *, after: str, limit: int) -> list[Any]:
    """Subscribers behind an id, in the order of their ids, without activity since then, who have no open
    order and are not on hold: `id`, `subscriber_no`, `name`, and `at` and `kind` of their last activity."""
    return await statements.fetch(
        f"select one.id, one.subscriber_no, one.name, act.at, act.kind {_DUE} and one.id > $2 order by one.id limit $3",
        since,
        after,
        limit,
    )


async def count_due_subscribers(statements: Statements, since: datetime, *, highest: int) -> int:
    """How many they are; counted up to `highest`."""
    return await statements.fetchval(f"select count(*) from (select {_DUE} limit $2) as due", since, highest)


async def is_active_since(tx: Transaction, subscriber_id: str, since: datetime) -> bool:
    """Whether something has happened with a subscriber since then."""
    return await tx.fetchval(
        f"select exists (select from subscribers as one cross join lateral {_LAST} as act"
        " where one.id = $1 and act.at >= $2)",
        subscriber_id,
        since,
    )


async def note_follow_ups(tx: Transaction, messages: Sequence[Message]) -> None:
    """Keeps whom a follow-up is about, and its last activity; in any order, any number of times."""
    seen: dict[str, tuple[str | None, datetime]] = {}
    for message in messages:
        body = message.body
        if not isinstance(body, _FOLLOW_UP):
            continue
        known, last_at = seen.get(body.follow_up_id, (None, message.recorded_at))
        known = body.subscriber_no if isinstance(body, q.FollowUpPlanned) else known
        seen[body.follow_up_id] = known, max(last_at, message.recorded_at)
    if not seen:
        return
    await tx.execute(
        """insert into follow_up_activity (follow_up_id, subscriber_no, last_at)
           select * from unnest($1::text[], $2::text[], $3::timestamptz[]) as seen (id, subscriber_no, at) order by id
           on conflict (follow_up_id) do update
           set subscriber_no = coalesce(excluded.subscriber_no, follow_up_activity.subscriber_no),
               last_at = greatest(follow_up_activity.last_at, excluded.last_at)""",
        list(seen),
        [subscriber_no for subscriber_no, _ in seen.values()],
        [last_at for _, last_at in seen.values()],
    )


_FOLLOW_UP = (
    q.FollowUpPlanned,
    q.FollowUpJoined,
    q.FollowUpAttempted,
    q.FollowUpEnded,
    q.SatisfactionGiven,
    q.FindingOpened,
)
