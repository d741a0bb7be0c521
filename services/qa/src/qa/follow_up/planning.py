"""Follow-ups planned from the stream of orders, in the transaction that applies it.

What an order needs is decided from what it is at that moment, not from the message that came: a completed order has
one follow-up in the first project that wants it, shared with all that is about the same thing; any other order has
no follow-up without an attempt. So repeated records change nothing, in any order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chassis import outbox
from chassis.clock import Clock, SystemClock
from chassis.database import Transaction
from chassis.identity import new_id
from contracts.events import WorkOrderAudited, WorkOrderCompleted, WorkOrderRedispatchRequested
from contracts.lifecycle import Service, Status
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from contracts.origin import Origin
from contracts.quality import FollowUpCause, FollowUpJoined, QualityEvent
from qa.follow_up import store
from qa.follow_up.domain import follow_up as following
from qa.follow_up.domain.calendar import WorkingCalendar
from qa.follow_up.domain.follow_up import FollowUp
from qa.follow_up.domain.project import FollowUpProject

_SAID_SOMETHING = (
    WorkOrderCompleted,
    WorkOrderRedispatchRequested,
    WorkOrderAudited,
    WorkOrderLinked,
    WorkOrderUnlinked,
)
_DONE = frozenset({Status.COMPLETED, Status.AUDITING, Status.ARCHIVED})
_PLANNER = Actor("qa", "service")


@dataclass(slots=True)
class _Plan:
    """The projects and follow-ups that a batch touches, and what has changed."""

    projects: list[FollowUpProject]
    calendars: dict[str, WorkingCalendar]
    outages: dict[str, str]
    now: datetime
    known: dict[str, FollowUp]
    before: dict[str, FollowUp] = field(default_factory=dict)
    events: list[tuple[str, QualityEvent]] = field(default_factory=list)

    def active(self) -> Iterable[FollowUp]:
        return (one for one in self.known.values() if one.end is not following.FollowUpEnd.WITHDRAWN)

    def change(self, changed: FollowUp, event: QualityEvent) -> None:
        # However often a batch changes it, its version grows by one, because it is saved once.
        present = self.before.get(changed.id)
        self.known[changed.id] = replace(changed, version=present.version + 1 if present else 1)
        self.events.append((changed.order_ids[0] if changed.order_ids else changed.id, event))


def orders_to_plan(messages: Sequence[Message]) -> set[str]:
    """The orders whose follow-ups may be others after these messages."""
    return {message.subject for message in messages if isinstance(message.body, _SAID_SOMETHING)}


async def plan_follow_ups(messages: Sequence[Message], tx: Transaction, clock: Clock | None = None) -> None:
    """Brings the follow-ups of the orders that these messages speak of up to what the orders are."""
    spoken_of = orders_to_plan(messages)
    if not spoken_of:
        return
    await _keep_links(messages, tx)
    orders = await store.orders(tx, spoken_of)
    plan = await _read(tx, orders, (clock or SystemClock()).now())
    for order in orders:
        _bring_up(plan, order)
    await _save(tx, plan)


async def _keep_links(messages: Sequence[Message], tx: Transaction) -> None:
    for message in messages:
        body = message.body
        if isinstance(body, WorkOrderLinked) and body.kind is LinkKind.SAME_OUTAGE and body.outage_id:
            await store.keep_link(tx, body.link_id, message.subject, body.outage_id, message.occurred_at)
        elif isinstance(body, WorkOrderUnlinked):
            await store.undo_link(tx, body.link_id, message.subject)


async def _read(tx: Transaction, orders: Sequence[WorkOrder], now: datetime) -> _Plan:
    projects = await store.lock_open_projects(tx)
    # A complaint is followed up as a complaint, even where completions are followed up as well.
    projects.sort(key=lambda one: (one.cause is not FollowUpCause.COMPLAINT, one.id))
    calendars = {one.calendar: await store.get_calendar(tx, one.calendar) for one in projects}
    outages = await store.outages_of(tx, [order.id for order in orders])
    things = {one.thing_of(order, outages.get(order.id)) for order in orders for one in projects}
    found = await store.lock_of_orders(tx, [order.id for order in orders], sorted(things))
    known = {one.id: one for one in found}
    return _Plan(projects, calendars, outages, now, known, before=dict(known))


def _bring_up(plan: _Plan, order: WorkOrder) -> None:
    outage_id = plan.outages.get(order.id)
    for follow_up in list(plan.active()):
        is_apart = order.status not in _DONE or follow_up.outage_id != outage_id
        if order.id in follow_up.order_ids and follow_up.is_untouched and is_apart:
            _leave(plan, follow_up, order)
    wanted = _wanted(plan, order)
    if wanted is None or any(order.id in one.order_ids for one in plan.active()):
        return
    thing = wanted.thing_of(order, outage_id)
    same = next((one for one in plan.active() if one.thing == thing), None)
    if same is not None:
        joined = replace(same, order_ids=(*same.order_ids, order.id))
        event = FollowUpJoined(follow_up_id=same.id, project_id=same.project_id, order_id=order.id)
        plan.change(joined, event)
        return
    completed_at = order.completions[-1].completed.at
    calendar = plan.calendars[wanted.calendar]
    follow_up, planned = following.planned(
        wanted,
        order,
        follow_up_id=new_id(),
        thing=thing,
        outage_id=outage_id,
        due_by=wanted.due_by(completed_at, calendar),
        covered_until=calendar.covered_until,
        now=completed_at,
    )
    plan.change(follow_up, planned)


def _wanted(plan: _Plan, order: WorkOrder) -> FollowUpProject | None:
    """The first project that follows the order up, as it is at this moment."""
    if order.status not in _DONE or not order.completions:
        return None
    completed_at = order.completions[-1].completed.at
    return next((one for one in plan.projects if one.wants(order, completed_at)), None)


def _leave(plan: _Plan, follow_up: FollowUp, order: WorkOrder) -> None:
    """Takes the order out of a follow-up without an attempt; without its last order it is withdrawn."""
    left = tuple(one for one in follow_up.order_ids if one != order.id)
    withdrawn, event = following.withdraw(follow_up, by=_PLANNER.sub, now=plan.now)
    if not left:
        plan.change(withdrawn, event)
        return
    # Withdrawn and replaced by another without the order: what was published about it stays true.
    plan.change(withdrawn, event)
    again = replace(follow_up, id=new_id(), version=1, order_ids=left)
    plan.change(again, following.planned_event(again))


async def _save(tx: Transaction, plan: _Plan) -> None:
    new = [one for name, one in plan.known.items() if name not in plan.before]
    changed = [one for name, one in plan.known.items() if name in plan.before and one != plan.before[name]]
    # Those that end go first: only one follow-up about a thing may be active.
    for one in sorted(changed, key=lambda one: one.end is None):
        await store.FOLLOW_UPS.save(tx, one)
    for one in new:
        await store.FOLLOW_UPS.add(tx, one)
    origin = Origin(service=Service.QA, actor=_PLANNER, recorded_at=plan.now)
    await outbox.add_with_key_locks(tx, [origin.message(event, subject=subject) for subject, event in plan.events])
