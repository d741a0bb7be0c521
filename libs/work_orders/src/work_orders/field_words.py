"""What fields of the order routes mean beside the common vocabulary, see `chassis.field_words`."""

from chassis.field_examples import Examples
from chassis.field_words import Words
from chassis.openapi import Documentation
from contracts.field_words import EXAMPLES as PUBLISHED_EXAMPLES
from contracts.field_words import WORDS as PUBLISHED

_WORDS: Words = {
    "OrderClock.began_at": "When it began to run.",
    "OrderClock.clock": "What the limit is for.",
    "OrderClock.paused_reason": "Why it rests; null while it does not.",
    "OrderClock.paused_since": "Since when it rests.",
    "OrderClock.paused_until": "Until when work is to rest.",
    "OrderClock.phase": "Whether it runs, rests or has stopped.",
    "OrderClock.stopped_at": "When it came to its end; null while it has not.",
    "OrderClock.used_seconds": "How long it has run, in the time that counts.",
    "BulkAnswer.done": "How many rows were carried out.",
    "BulkAnswer.refused": "How many rows were refused.",
    "BulkRowAnswer.is_done": "Whether the act was carried out on this order, now or when the request came first.",
    "WorkOrderCounts.has_appointment": "How many have an appointment.",
    "WorkOrderCounts.is_near": "How many have their next limit within `near_minutes`.",
    "WorkOrderCounts.is_overdue": "How many have a limit that is over whose clock still runs.",
    "WorkOrderCounts.is_petitioned": "How many were petitioned, by their last completion.",
    "WorkOrderCounts.is_suspended": "How many are suspended.",
    "WorkOrderCounts.is_unresolved": "How many are not resolved, by their last completion.",
    "WorkOrderCounts.is_urged": "How many were urged.",
    "HandlingRules.rules": "The rules themselves.",
    "TimeLimits.rules": "The time limits themselves.",
    "SubscriberShown.kind": "The kind of subscriber, such as `household`.",
    "SubscriberShown.version": "The version of intake's record of the subscriber.",
    "SupervisionAnswer.answer": "What the supervisor is to know.",
    "TypeNames.demand_type": "What the demand type is called; null while the copy does not know.",
    "TypeNames.device_type": "What the device type is called; null while the copy does not know.",
    "WorkAreaWithStaff.is_open": "Whether orders may be dispatched to it.",
    "WorkAreaWithStaff.staff": "Everybody who belongs to it.",
}

_EXAMPLES: Examples = {"BulkRow.version": 3, "DispatchRow.version": 3}


def documentation(service: str, *, tags: Words, words: Words, examples: Examples) -> Documentation:
    """What a service with these words of its own says of its routes."""
    vocabularies = {"": PUBLISHED, "work_orders": {**PUBLISHED, **_WORDS}, service: {**PUBLISHED, **words}}
    return Documentation(tags, vocabularies, {**PUBLISHED_EXAMPLES, **_EXAMPLES, **examples})
