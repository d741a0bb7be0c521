"""The tables of intake, exactly as its migrations create them; each column has its name and type here only.

One block a feature.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Identity, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

METADATA = MetaData()
_MOMENT = DateTime(timezone=True)
_ID = Text(collation="C")
_Kind = type[TypeEngine] | TypeEngine


def _key(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind, primary_key=True, autoincrement=False) for name in names]


def _required(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind, nullable=False) for name in names]


def _optional(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind) for name in names]


# calls

CALLS = Table(
    "calls",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_optional(Text, "partner_id", "reference", "subscriber_id", "demand_type"),
    *_required(Text, "direction", "channel", "state"),
    *_required(_MOMENT, "started_at"),
    *_optional(_MOMENT, "answered_at", "ended_at"),
    *_optional(Text, "queue", "agent_id", "team", "line", "caller"),
    *_optional(BigInteger, "wait_milliseconds", "talk_milliseconds"),
    *_required(_MOMENT, "changed_at"),
    Column("is_forgotten", Boolean, nullable=False, server_default="false"),
    *_optional(ARRAY(Text), "earlier_agent_ids", "earlier_queues"),
)
"""`is_forgotten`: number and words were blanked by age, for no subscriber was known."""

CALL_FACTS = Table(
    "call_facts",
    METADATA,
    *_key(_ID, "call_id", "fact_id"),
    *_required(_ID, "event_id"),
    Column("place", BigInteger, Identity(always=True)),
    *_required(Text, "type"),
    *_required(_MOMENT, "occurred_at", "received_at"),
    *_required(JSON, "said"),
    *_required(Integer, "revision"),
    *_required(JSON, "published"),
    *_required(Text, "published_type"),
)
"""`said` as it was reported, `published` as it stands on `calls`, `revision` times by now."""

CALL_RECORDS = Table(
    "call_records",
    METADATA,
    *_key(_ID, "call_id"),
    *_required(Integer, "version"),
    *_required(Text, "organisation", "caller_name", "caller_position", "answered_by", "content", "remark"),
    *_required(Text, "handling_opinion", "changed_by"),
    *_required(_MOMENT, "changed_at"),
)

SETTLEMENTS = Table(
    "settlements",
    METADATA,
    *_key(_ID, "id"),
    *_required(_ID, "call_id"),
    *_required(Text, "outcome"),
    *_optional(Text, "article_id", "order_id"),
    *_required(Boolean, "order_was_open"),
    *_optional(Text, "referral_id", "case_id"),
    *_required(Text, "settled_by"),
    *_required(_MOMENT, "settled_at"),
)

REFERRALS = Table(
    "referrals",
    METADATA,
    *_key(_ID, "id"),
    *_required(_ID, "call_id"),
    *_required(Text, "department", "question", "asked_by"),
    *_required(_MOMENT, "asked_at"),
    *_optional(Text, "answer", "answered_by"),
    *_optional(_MOMENT, "answered_at"),
)

CASES = Table(
    "cases",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_required(_ID, "call_id"),
    *_required(Text, "content", "contact"),
    *_required(_MOMENT, "reply_by"),
    *_required(Text, "opened_by"),
    *_required(_MOMENT, "opened_at"),
    *_optional(_MOMENT, "warned_at", "overdue_at"),
    *_optional(Text, "reply", "replied_by"),
    *_optional(_MOMENT, "replied_at"),
    *_optional(Text, "promised_by"),
)

# outages

OUTAGES = Table(
    "outages",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_required(ARRAY(Text), "territories"),
    *_required(Text, "cause"),
    *_required(_MOMENT, "began_at"),
    *_optional(_MOMENT, "restore_by", "ended_at"),
    *_required(Text, "told_by"),
    *_required(_MOMENT, "changed_at"),
)

# links

LINKS = Table(
    "links",
    METADATA,
    *_key(_ID, "id"),
    *_required(Text, "order_id", "kind"),
    *_optional(Text, "other_order_id", "outage_id"),
    *_required(Text, "reason", "linked_by"),
    *_required(_MOMENT, "linked_at"),
    *_optional(Text, "undone_by"),
    *_optional(_MOMENT, "undone_at"),
)
