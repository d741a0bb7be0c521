"""The tables of intake, exactly as its migrations create them; each column has its name and type here only.

One block a feature. The tables of the libraries are declared there.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Identity, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.columns import ID, MOMENT, key, optional, required
from intake.partner_tables import METADATA

IS_COMPLETE = True
"""Every table of intake is here or in `partner_tables`; a test holds them against the migrated ones."""
_TEXTS = ARRAY(Text)


# calls

CALLS = Table(
    "calls",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *optional(Text, "partner_id", "reference", "subscriber_id", "demand_type"),
    *required(Text, "direction", "channel", "state"),
    *required(MOMENT, "started_at"),
    *optional(MOMENT, "answered_at", "ended_at"),
    *optional(Text, "queue", "agent_id", "team", "line", "caller"),
    *optional(BigInteger, "wait_milliseconds", "talk_milliseconds"),
    *required(MOMENT, "changed_at"),
    Column("is_forgotten", Boolean, nullable=False, server_default="false"),
    *optional(ARRAY(Text), "earlier_agent_ids", "earlier_queues"),
)
"""`is_forgotten`: number and words were blanked by age, for no subscriber was known."""

CALL_FACTS = Table(
    "call_facts",
    METADATA,
    *key(ID, "call_id", "fact_id"),
    *required(ID, "event_id"),
    Column("place", BigInteger, Identity(always=True)),
    *required(Text, "type"),
    *required(MOMENT, "occurred_at", "received_at"),
    *required(JSON, "said"),
    *required(Integer, "revision"),
    *required(JSON, "published"),
    *required(Text, "published_type"),
)
"""`said`: as reported; `published`: as on `calls`, in revision `revision`."""

CALL_RECORDS = Table(
    "call_records",
    METADATA,
    *key(ID, "call_id"),
    *required(Integer, "version"),
    *required(Text, "organisation", "caller_name", "caller_position", "answered_by", "content", "remark"),
    *required(Text, "handling_opinion", "changed_by"),
    *required(MOMENT, "changed_at"),
)

SETTLEMENTS = Table(
    "settlements",
    METADATA,
    *key(ID, "id"),
    *required(ID, "call_id"),
    *required(Text, "outcome"),
    *optional(Text, "article_id", "order_id"),
    *required(Boolean, "order_was_open"),
    *optional(Text, "referral_id", "case_id"),
    *required(Text, "settled_by"),
    *required(MOMENT, "settled_at"),
)

REFERRALS = Table(
    "referrals",
    METADATA,
    *key(ID, "id"),
    *required(ID, "call_id"),
    *required(Text, "department", "question", "asked_by"),
    *required(MOMENT, "asked_at"),
    *optional(Text, "answer", "answered_by"),
    *optional(MOMENT, "answered_at"),
)

CASES = Table(
    "cases",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(ID, "call_id"),
    *required(Text, "content", "contact"),
    *required(MOMENT, "reply_by"),
    *required(Text, "opened_by"),
    *required(MOMENT, "opened_at"),
    *optional(MOMENT, "warned_at", "overdue_at"),
    *optional(Text, "reply", "replied_by"),
    *optional(MOMENT, "replied_at"),
    *optional(Text, "promised_by"),
)

# outages

OUTAGES = Table(
    "outages",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(ARRAY(Text), "territories"),
    *required(Text, "cause"),
    *required(MOMENT, "began_at"),
    *optional(MOMENT, "restore_by", "ended_at"),
    *required(Text, "told_by"),
    *required(MOMENT, "changed_at"),
    Column("is_planned", Boolean, nullable=False, server_default="false"),
)

# links

LINKS = Table(
    "links",
    METADATA,
    *key(ID, "id"),
    *required(Text, "order_id", "kind"),
    *optional(Text, "other_order_id", "outage_id"),
    *required(Text, "reason", "linked_by"),
    *required(MOMENT, "linked_at"),
    *optional(Text, "undone_by"),
    *optional(MOMENT, "undone_at"),
)

# reference

ORDER_TYPES = Table(
    "order_types",
    METADATA,
    *key(Text, "kind", "code"),
    *required(Integer, "version"),
    *required(Text, "name_en", "name_zh"),
    *required(Boolean, "is_active"),
)

DESK_RULES = Table(
    "desk_rules",
    METADATA,
    *key(Boolean, "only_row"),
    *required(Integer, "version", "warn_before_minutes", "call_closes_after_hours"),
    *required(Integer, "duplicate_hours", "duplicate_least_score"),
    *required(Text, "country_code"),
)

# subscribers

SUBSCRIBERS = Table(
    "subscribers",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(Text, "subscriber_no", "name"),
    *required(_TEXTS, "phones"),
    *required(Text, "address", "kind", "zone"),
    *optional(Text, "territory"),
    *required(Text, "notes"),
    *required(MOMENT, "created_at", "changed_at"),
)

# orders

ORDER_HISTORY = Table(
    "order_history",
    METADATA,
    *key(Text, "message_id"),
    *required(Text, "order_id"),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    *optional(Integer, "order_version"),
    *required(Text, "type"),
    *required(MOMENT, "occurred_at", "recorded_at"),
    *required(Text, "service", "actor_sub", "actor_role", "actor_name"),
    *required(JSON, "data"),
)

REQUESTS = Table(
    "requests",
    METADATA,
    *key(Text, "id"),
    *required(Text, "order_id", "kind", "reason", "state", "asked_by"),
    *required(MOMENT, "asked_at"),
    *optional(MOMENT, "answered_at"),
    *optional(JSON, "refusal"),
)

ORDER_CONTACTS = Table(
    "order_contacts",
    METADATA,
    *key(ID, "id"),
    *required(Text, "order_id", "subscriber_id", "name", "phone", "added_by"),
    *required(MOMENT, "added_at"),
)

TIED_CALLERS = Table(
    "tied_callers",
    METADATA,
    *key(ID, "caller_id"),
    *required(ID, "subscriber_id"),
    *required(Text, "tied_by"),
    *required(MOMENT, "tied_at"),
)

# privacy

REVEALS = Table(
    "reveals",
    METADATA,
    *key(ID, "id"),
    *required(Text, "subscriber_id"),
    *optional(Text, "work_order_id"),
    *required(Text, "purpose"),
    *optional(Text, "reason"),
    *required(Text, "revealed_by", "revealed_by_name", "role"),
    *required(MOMENT, "revealed_at"),
)

LEGAL_HOLDS = Table(
    "legal_holds",
    METADATA,
    *key(ID, "id"),
    *required(Text, "subscriber_id", "reason", "set_by"),
    *required(MOMENT, "set_at"),
    *optional(Text, "lift_reason", "lifted_by"),
    *optional(MOMENT, "lifted_at"),
)

ERASURES = Table(
    "erasures",
    METADATA,
    *key(ID, "subscriber_id"),
    *required(Text, "ground", "erased_by", "role"),
    *required(MOMENT, "erased_at"),
    *required(Integer, "order_count", "key_version"),
)

RETENTION_RULES = Table(
    "retention_rules",
    METADATA,
    *key(Text, "data_class"),
    *required(Integer, "keep_days"),
    *optional(Boolean, "is_active"),
    *required(Text, "changed_by"),
    *required(MOMENT, "changed_at"),
)

RETENTION_RUNS = Table(
    "retention_runs",
    METADATA,
    *key(Date, "run_on"),
    *required(MOMENT, "finished_at"),
    *required(Integer, "subscribers_erased", "reveals_deleted", "keys_wrapped_anew", "callers_forgotten"),
    *optional(Integer, "subscribers_due"),
    *optional(Boolean, "is_erasing"),
)

FOLLOW_UP_ACTIVITY = Table(
    "follow_up_activity",
    METADATA,
    *key(ID, "follow_up_id"),
    *optional(Text, "subscriber_no"),
    *required(MOMENT, "last_at"),
)

# agents

AGENTS = Table(
    "agents",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(Text, "name"),
    *optional(Text, "team"),
    *required(Boolean, "is_active"),
)

AGENT_NAMES = Table(
    "agent_names",
    METADATA,
    *key(ID, "partner_id", "name"),
    *required(Text, "agent_id"),
)

UNREGISTERED_AGENTS = Table(
    "unregistered_agents",
    METADATA,
    *key(Text, "partner_id", "name"),
    *required(MOMENT, "first_seen_at"),
)

AGENT_STREAMS = Table(
    "agent_streams",
    METADATA,
    *key(ID, "agent_id"),
    *required(Integer, "version"),
    *required(Text, "state"),
    *required(MOMENT, "since"),
    *optional(Text, "reason"),
    *required(_TEXTS, "queues"),
    *optional(Text, "team", "partner_id"),
)

AGENT_STATES = Table(
    "agent_states",
    METADATA,
    *key(ID, "agent_id", "fact_id"),
    *required(ID, "event_id"),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    *required(MOMENT, "occurred_at", "received_at"),
    *required(JSON, "published"),
)

# knowledge

ARTICLES = Table(
    "articles",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *optional(Text, "demand_type"),
    *required(Text, "title", "body"),
    *required(_TEXTS, "keywords"),
    *required(Boolean, "is_active"),
    *required(Integer, "use_count"),
    *optional(MOMENT, "last_used_at"),
    *required(Text, "changed_by"),
    *required(MOMENT, "changed_at"),
)

ARTICLE_VERSIONS = Table(
    "article_versions",
    METADATA,
    *key(ID, "article_id"),
    *key(Integer, "version"),
    *optional(Text, "demand_type"),
    *required(Text, "title", "body"),
    *required(_TEXTS, "keywords"),
    *required(Boolean, "is_active"),
    *required(Text, "changed_by"),
    *required(MOMENT, "changed_at"),
)

ARTICLE_WORDS = Table(
    "article_words",
    METADATA,
    *key(ID, "word", "article_id"),
    *required(Integer, "weight"),
)
