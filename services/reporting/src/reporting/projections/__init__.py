"""What figures are counted from. Everything here follows from the record alone.

There are two sets of the same tables, `a` and `b`: one is shown, and the other can be built beside it at
any time (`reporting.rebuilds.rebuilding`).
"""

from collections.abc import Iterable
from datetime import date, timedelta

from chassis.database import Transaction
from contracts.calls import AgentStateChanged
from contracts.escalation import EscalationRulesDefined
from contracts.limits import TimeLimitsDefined
from contracts.message import Message
from reporting.projections import agents, calls, days, follow_ups, orders, promises, sla, sla_clocks
from reporting.record import event_store
from reporting.record.event_store import Added, StreamState


async def apply(tx: Transaction, state: StreamState, added: Added) -> None:
    """Takes new messages into every set that is kept up; raises `Poison` for an event that cannot follow."""
    new = added.messages
    if not new:
        return
    names, late_after, newest = state.kept_up, state.late_after, state.recorded_at
    assert newest is not None
    events = [message for message in new if message.order_version is not None]
    facts = [message for message in new if _is_of_a_call(message)]
    states = [message for message in new if isinstance(message.body, AgentStateChanged)]
    changed = {message.subject for message in new if isinstance(message.body, follow_ups.EVENTS)}
    defined = [message.body for message in new if isinstance(message.body, TimeLimitsDefined)]
    rules = await sla_clocks.rules_in(tx) if events or defined else sla.LimitHistory()
    # Of most calls of a large batch nothing was known before it: only of the others is anything read again.
    earlier = {message.subject for message in facts if message.subject in added.heads} if names else set()
    known = await event_store.messages_of(tx, earlier, heads=added.heads) if earlier else []
    followed = await _of_follow_ups(tx, changed) if changed and names else []
    touched: dict[str, set[date]] = {
        orders.TABLE.name: set(),
        orders.LATER: set(),
        sla_clocks.TABLE.name: set(),
        calls.TABLE.name: set(),
        promises.TABLE.name: set(),
        agents.TABLE.name: agents.days_of(states, newest),
        follow_ups.TABLE.name: set(),
    }
    for name in names:
        if events:
            applied = await orders.apply(tx, name, events, late_after)
            touched[orders.TABLE.name] |= applied.days
            touched[orders.LATER] |= applied.later
            touched[sla_clocks.TABLE.name] |= await sla_clocks.apply(tx, name, applied.taken, rules, late_after)
        if defined:
            touched[sla_clocks.TABLE.name] |= await sla_clocks.reevaluate_for(tx, name, defined, rules, late_after)
        if facts:
            touched[calls.TABLE.name] |= await calls.apply(tx, name, facts, known, late_after, newest)
            touched[promises.TABLE.name] |= await promises.apply(tx, name, facts, known)
        await agents.apply(tx, name, states)
        changed, answered = await follow_ups.apply(tx, name, followed, late_after)
        touched[follow_ups.TABLE.name] |= changed
        touched[orders.LATER] |= await orders.days_found_out(tx, name, answered)
    if noted := days.touched(touched, state.message_count):
        await tx.execute(noted.sql, *noted.arguments)


async def _of_follow_ups(tx: Transaction, subjects: Iterable[str]) -> list[Message]:
    found = await event_store.quality_of(tx, subjects)
    return [message for message in found if isinstance(message.body, follow_ups.EVENTS)]


async def refold(tx: Transaction, name: str, subjects: Iterable[str], late_after: timedelta) -> None:
    """Puts subjects into a set from the whole of their messages, whatever the set had of them."""
    messages, followed = await event_store.messages_of(tx, subjects), await _of_follow_ups(tx, subjects)
    events = [message for message in messages if message.order_version is not None]
    facts = [message for message in messages if _is_of_a_call(message)]
    defined = [message.body for message in messages if isinstance(message.body, TimeLimitsDefined)]
    rules = await sla_clocks.rules_in(tx)
    if events:
        await sla_clocks.refold(tx, name, await orders.refold(tx, name, events, late_after), rules, late_after)
    if defined:
        await sla_clocks.reevaluate_for(tx, name, defined, rules, late_after)
    if facts:
        await calls.refold(tx, name, facts, late_after)
        await promises.apply(tx, name, facts, ())
    if followed:
        await follow_ups.refold(tx, name, followed, late_after)
    await agents.apply(tx, name, messages)


def _is_of_a_call(message: Message) -> bool:
    other = AgentStateChanged | TimeLimitsDefined | EscalationRulesDefined
    return message.entity_version is not None and not isinstance(message.body, other)
