"""The tables of intake, exactly as its migrations create them; each column has its name and type here only.

One block a feature. The tables of the libraries are declared there.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

METADATA = MetaData()
IS_COMPLETE = True
"""Every table of intake is here; a test holds them against the migrated ones."""
_MOMENT = DateTime(timezone=True)
_ID = Text(collation="C")
_TEXTS = ARRAY(Text)
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

# reference

ORDER_TYPES = Table(
    "order_types",
    METADATA,
    *_key(Text, "kind", "code"),
    *_required(Integer, "version"),
    *_required(Text, "name_en", "name_zh"),
    *_required(Boolean, "is_active"),
)

DESK_RULES = Table(
    "desk_rules",
    METADATA,
    *_key(Boolean, "only_row"),
    *_required(Integer, "version", "warn_before_minutes", "call_closes_after_hours"),
    *_required(Integer, "duplicate_hours", "duplicate_least_score"),
    *_required(Text, "country_code"),
)

# subscribers

SUBSCRIBERS = Table(
    "subscribers",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_required(Text, "subscriber_no", "name"),
    *_required(_TEXTS, "phones"),
    *_required(Text, "address", "kind", "zone"),
    *_optional(Text, "territory"),
    *_required(Text, "notes"),
    *_required(_MOMENT, "created_at", "changed_at"),
)

# orders

ORDER_HISTORY = Table(
    "order_history",
    METADATA,
    *_key(Text, "message_id"),
    *_required(Text, "order_id"),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    *_optional(Integer, "order_version"),
    *_required(Text, "type"),
    *_required(_MOMENT, "occurred_at", "recorded_at"),
    *_required(Text, "service", "actor_sub", "actor_role", "actor_name"),
    *_required(JSON, "data"),
)

REQUESTS = Table(
    "requests",
    METADATA,
    *_key(Text, "id"),
    *_required(Text, "order_id", "kind", "reason", "state", "asked_by"),
    *_required(_MOMENT, "asked_at"),
    *_optional(_MOMENT, "answered_at"),
    *_optional(JSON, "refusal"),
)

# privacy

REVEALS = Table(
    "reveals",
    METADATA,
    *_key(_ID, "id"),
    *_required(Text, "subscriber_id"),
    *_optional(Text, "work_order_id"),
    *_required(Text, "purpose"),
    *_optional(Text, "reason"),
    *_required(Text, "revealed_by", "revealed_by_name", "role"),
    *_required(_MOMENT, "revealed_at"),
)

LEGAL_HOLDS = Table(
    "legal_holds",
    METADATA,
    *_key(_ID, "id"),
    *_required(Text, "subscriber_id", "reason", "set_by"),
    *_required(_MOMENT, "set_at"),
    *_optional(Text, "lift_reason", "lifted_by"),
    *_optional(_MOMENT, "lifted_at"),
)

ERASURES = Table(
    "erasures",
    METADATA,
    *_key(_ID, "subscriber_id"),
    *_required(Text, "ground", "erased_by", "role"),
    *_required(_MOMENT, "erased_at"),
    *_required(Integer, "order_count", "key_version"),
)

RETENTION_RULES = Table(
    "retention_rules",
    METADATA,
    *_key(Text, "data_class"),
    *_required(Integer, "keep_days"),
    *_optional(Boolean, "is_active"),
    *_required(Text, "changed_by"),
    *_required(_MOMENT, "changed_at"),
)

RETENTION_RUNS = Table(
    "retention_runs",
    METADATA,
    *_key(Date, "run_on"),
    *_required(_MOMENT, "finished_at"),
    *_required(Integer, "subscribers_erased", "reveals_deleted", "keys_wrapped_anew", "callers_forgotten"),
    *_optional(Integer, "subscribers_due"),
    *_optional(Boolean, "is_erasing"),
)

FOLLOW_UP_ACTIVITY = Table(
    "follow_up_activity",
    METADATA,
    *_key(_ID, "follow_up_id"),
    *_optional(Text, "subscriber_no"),
    *_required(_MOMENT, "last_at"),
)

# partners

PARTNERS = Table(
    "partners",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_required(Text, "name_en", "name_zh"),
    *_required(Boolean, "is_active"),
    *_required(Integer, "events_per_second"),
    *_required(_MOMENT, "paced_until", "changed_at"),
)

PARTNER_EVENTS = Table(
    "partner_events",
    METADATA,
    *_key(_ID, "partner_id", "event_id"),
    *_required(LargeBinary, "fingerprint"),
    *_required(Text, "subject", "type"),
    *_optional(_MOMENT, "occurred_at"),
    *_required(_MOMENT, "received_at"),
    *_optional(Text, "code"),
)

AGENTS = Table(
    "agents",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_required(Text, "name"),
    *_optional(Text, "team"),
    *_required(Boolean, "is_active"),
)

AGENT_NAMES = Table(
    "agent_names",
    METADATA,
    *_key(_ID, "partner_id", "name"),
    *_required(Text, "agent_id"),
)

UNREGISTERED_AGENTS = Table(
    "unregistered_agents",
    METADATA,
    *_key(Text, "partner_id", "name"),
    *_required(_MOMENT, "first_seen_at"),
)

AGENT_STREAMS = Table(
    "agent_streams",
    METADATA,
    *_key(_ID, "agent_id"),
    *_required(Integer, "version"),
    *_required(Text, "state"),
    *_required(_MOMENT, "since"),
    *_optional(Text, "reason"),
    *_required(_TEXTS, "queues"),
    *_optional(Text, "team", "partner_id"),
)

AGENT_STATES = Table(
    "agent_states",
    METADATA,
    *_key(_ID, "agent_id", "fact_id"),
    *_required(_ID, "event_id"),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    *_required(_MOMENT, "occurred_at", "received_at"),
    *_required(JSON, "published"),
)

# knowledge

ARTICLES = Table(
    "articles",
    METADATA,
    *_key(_ID, "id"),
    *_required(Integer, "version"),
    *_optional(Text, "demand_type"),
    *_required(Text, "title", "body"),
    *_required(_TEXTS, "keywords"),
    *_required(Boolean, "is_active"),
    *_required(Integer, "use_count"),
    *_optional(_MOMENT, "last_used_at"),
    *_required(Text, "changed_by"),
    *_required(_MOMENT, "changed_at"),
)

ARTICLE_VERSIONS = Table(
    "article_versions",
    METADATA,
    *_key(_ID, "article_id"),
    *_key(Integer, "version"),
    *_optional(Text, "demand_type"),
    *_required(Text, "title", "body"),
    *_required(_TEXTS, "keywords"),
    *_required(Boolean, "is_active"),
    *_required(Text, "changed_by"),
    *_required(_MOMENT, "changed_at"),
)

ARTICLE_WORDS = Table(
    "article_words",
    METADATA,
    *_key(_ID, "word", "article_id"),
    *_required(Integer, "weight"),
)
