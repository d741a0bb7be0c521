"""The topics: what each carries, what keys it, who may write it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from contracts.lifecycle import Service

MOST_BATCH_BYTES = 1_048_588
"""What a broker takes of a writer at once, as it is sent and so compressed. Readers bound by themselves what it
decompresses to."""

_BOUNDED = {"max.message.bytes": str(MOST_BATCH_BYTES)}
_FOREVER = {"retention.ms": "-1", "retention.bytes": "-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    name: str
    key: str
    writers: tuple[Service, ...]
    description: str
    partitions: int = 12
    config: Mapping[str, str] = field(default_factory=dict)
    partner_id: str | None = None
    """Whose it is, of a topic made from a template; messages belong to the template."""
    template: str | None = None

    @property
    def kind(self) -> str:
        """The name that the catalogue has it under."""
        return self.template or self.name


WORK_ORDERS = Topic(
    name="work-orders",
    key="order id",
    writers=(Service.INTAKE, Service.DISPATCH, Service.FIELDWORK, Service.QA),
    description="The whole life of every order in one total order per order, and requests to its custodian.",
    config={"cleanup.policy": "delete", **_FOREVER, **_BOUNDED},
)

DIRECTORY = Topic(
    name="directory",
    key="entity kind and id, such as work_area:north",
    writers=(Service.INTAKE, Service.DISPATCH),
    description="Work areas, staff, device types and demand types, each message the whole entity.",
    config={"cleanup.policy": "compact", **_BOUNDED},
)

CALLS = Topic(
    name="calls",
    key="call id, or agent:<agent id>",
    writers=(Service.INTAKE,),
    description="Calls and agent states, whichever switch they come from, in the order in which they became known. "
    "Readers keep facts by `fact_id`, where a higher `revision` replaces a lower one, and fold them by `ce_time`.",
    config={"cleanup.policy": "delete", **_FOREVER, **_BOUNDED},
)

QUALITY = Topic(
    name="quality",
    key="recording or order id; of what is about neither, the plan, session or follow-up",
    writers=(Service.QA,),
    description="What quality found out: samples, evaluations, appeals, follow-ups, satisfaction, findings.",
    config={"cleanup.policy": "delete", **_FOREVER, **_BOUNDED},
)

DEADLINES = Topic(
    name="deadlines",
    key="time_limits, of sets of limits; escalation_rules, of the ladder; of alarms the order id",
    writers=(Service.DISPATCH,),
    description="Every set of time limits that operators have defined, oldest first; a reader computes an order's "
    "deadlines from its events and these limits, again when limits change. And the alarms of orders whose limits come "
    "near or are over, each once.",
    config={"cleanup.policy": "delete", **_FOREVER, **_BOUNDED},
)

_DAY = 24 * 60 * 60 * 1000

PARTNER_IN = Topic(
    name="partner.<id>.in",
    key="the partner's own reference",
    writers=(),
    description="The events of one partner's system, its only writer. Kept a week: callers' numbers are in it.",
    partitions=6,
    config={"cleanup.policy": "delete", "retention.ms": str(7 * _DAY), **_BOUNDED},
)

PARTNER_OUT = Topic(
    name="partner.<id>.out",
    key="the partner's own reference",
    writers=(Service.INTAKE,),
    description="What became of each event that the partner sent: accepted, or refused with why; and of its orders.",
    partitions=6,
    config={"cleanup.policy": "delete", "retention.ms": str(30 * _DAY), **_BOUNDED},
)

SEALING_KEYS = Topic(
    name="sealing-keys",
    key="subscriber id",
    writers=(Service.INTAKE,),
    description="The key that each subscriber's free text is sealed under, wrapped; or that it was destroyed.",
    # A key that was destroyed is to be gone from the brokers' disks a day or two later, not when half of the log
    # has changed. What takes its place is a record, not a null, so delete.retention.ms has no part in it.
    config={
        "cleanup.policy": "compact",
        "max.compaction.lag.ms": str(_DAY),
        "segment.ms": str(_DAY),
        "min.cleanable.dirty.ratio": "0.01",
        **_BOUNDED,
    },
)

TOPICS: tuple[Topic, ...] = (WORK_ORDERS, DIRECTORY, CALLS, QUALITY, DEADLINES, SEALING_KEYS)
"""The topics that every installation has."""

TEMPLATES: tuple[Topic, ...] = (PARTNER_IN, PARTNER_OUT)
"""The topics of which each partner has its own."""

PARTNER_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def topic_of_partner(template: Topic, partner_id: str) -> Topic:
    """A partner's own `PARTNER_IN` or `PARTNER_OUT`; raises `ValueError` for what cannot be a partner's id."""
    if not PARTNER_ID.fullmatch(partner_id):
        raise ValueError(f"{partner_id!r} is no partner id: lower-case letters, digits and dashes, at most 40")
    name = template.name.replace("<id>", partner_id)
    return replace(template, name=name, partner_id=partner_id, template=template.name)
