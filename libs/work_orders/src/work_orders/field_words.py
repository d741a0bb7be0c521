"""What fields of the order routes mean beside the common vocabulary, see `chassis.field_words`."""

from chassis.field_words import Vocabularies, Words
from contracts.field_words import WORDS as PUBLISHED

_WORDS: Words = {
    "SubscriberShown.kind": "The kind of subscriber, such as `household`.",
    "SubscriberShown.version": "The version of intake's record of the subscriber.",
    "TypeNames.demand_type": "What the demand type is called; null while the copy does not know.",
    "TypeNames.device_type": "What the device type is called; null while the copy does not know.",
    "WorkAreaWithStaff.is_open": "Whether orders may be dispatched to it.",
    "WorkAreaWithStaff.staff": "Everybody who belongs to it.",
}


def vocabularies(service: str, own: Words) -> Vocabularies:
    """Those of a service with these words of its own."""
    return {"": PUBLISHED, "work_orders": {**PUBLISHED, **_WORDS}, service: {**PUBLISHED, **own}}
