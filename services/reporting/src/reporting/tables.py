"""The tables of reporting, exactly as its migrations create them; each column has its name and type here only.

There are two sets of the tables of projections, `a` and `b` behind their names. `PROJECTIONS` has each table once,
under its name without a set; `METADATA` has what is in the database.
"""

from collections.abc import Mapping

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

IS_COMPLETE = True
"""Every table that a migration of reporting makes is declared here."""
SETS = ("a", "b")
METADATA = MetaData()
_PROJECTIONS = MetaData()
_MOMENT = DateTime(timezone=True)
_ID = Text(collation="C")
TEXTS = ARRAY(Text)
_Kind = type[TypeEngine] | TypeEngine


def _key(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind, primary_key=True, autoincrement=False) for name in names]


def _required(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind, nullable=False) for name in names]


def _optional(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind) for name in names]


def _changed() -> list[Column]:
    """The version of a row of rules, and who changed it when."""
    return [*_required(Integer, "version"), *_optional(Text, "changed_by"), *_optional(_MOMENT, "changed_at")]


MESSAGES = Table(
    "messages",
    METADATA,
    *_key(BigInteger, "place"),
    *_required(_ID, "message_id", "order_id"),
    *_optional(Integer, "order_version"),
    *_required(Text, "type", "source"),
    *_required(_MOMENT, "occurred_at", "recorded_at"),
    *_required(Text, "actor_sub", "actor_role", "actor_name"),
    *_optional(Text, "prev_hash", "event_hash", "correlation_id", "causation_id", "traceparent"),
    *_required(LargeBinary, "data"),
    *_required(Text, "topic"),
)
"""`order_id` and `order_version` are the subject and its stream's version: of an order, a call or an agent."""

STREAM_STATE = Table(
    "stream_state",
    METADATA,
    *_key(Boolean, "is_only"),
    *_required(BigInteger, "message_count"),
    *_optional(_MOMENT, "recorded_at"),
    *_required(Text, "live"),
    *_required(Integer, "generation"),
    *_optional(Text, "following"),
    *_required(Integer, "live_shape"),
    *_required(Interval, "late_after"),
    *_required(BigInteger, "call_message_count", "quality_message_count"),
)

STAYS = Table(
    "stays",
    _PROJECTIONS,
    *_key(_ID, "order_id"),
    *_key(Integer, "since_version"),
    *_optional(Integer, "until_version"),
    *_required(_MOMENT, "since_known_at"),
    *_optional(_MOMENT, "until_known_at"),
    *_optional(Text, "from_status"),
    *_required(Text, "status"),
    *_optional(Text, "next_status"),
    *_required(_MOMENT, "entered_at"),
    *_optional(_MOMENT, "left_at"),
    *_optional(BigInteger, "microseconds"),
    *_required(Boolean, "is_since_late"),
    *_optional(Boolean, "is_until_late"),
    *_required(Boolean, "is_suspended"),
    *_optional(Boolean, "is_misdispatch_valid"),
    *_required(Integer, "dispatch_count", "completion_count"),
    *_optional(Text, "work_area_id", "staff_id"),
    *_required(Text, "device_type", "demand_type", "channel", "zone"),
    *_required(_ID, "subscriber_id"),
    *_required(_MOMENT, "created_at"),
)

SLA_CLOCKS = Table(
    "clocks",
    _PROJECTIONS,
    *_key(_ID, "order_id"),
    *_key(Integer, "number"),
    *_required(Integer, "since_version"),
    *_required(_MOMENT, "since_known_at"),
    *_optional(_MOMENT, "until_known_at"),
    *_required(Boolean, "is_late"),
    *_required(Text, "clock"),
    *_required(Integer, "turn"),
    *_required(Text, "state"),
    *_optional(BigInteger, "limit_us"),
    *_required(ARRAY(_MOMENT), "began_at", "ended_at"),
    *_optional(_MOMENT, "due_at"),
    *_optional(Boolean, "is_in_time"),
    *_optional(_MOMENT, "stopped_at"),
    *_optional(Text, "stopped_by"),
    *_optional(BigInteger, "microseconds"),
    *_required(Integer, "extension_count"),
    *_optional(Text, "work_area_id", "staff_id"),
    *_required(Text, "device_type", "demand_type", "channel", "zone"),
)

LEGS = Table(
    "legs",
    _PROJECTIONS,
    *_key(_ID, "call_id"),
    *_key(Integer, "leg"),
    *_required(_MOMENT, "known_at", "moment"),
    *_required(Boolean, "is_offered"),
    *_required(Text, "outcome", "direction", "channel"),
    *_optional(Text, "queue", "agent_id", "team", "handler_id", "handler_team", "demand_type"),
    *_optional(_ID, "subscriber_id"),
    *_optional(_MOMENT, "answered_at", "ended_at"),
    *_optional(BigInteger, "wait_us", "ring_us", "talk_us", "hold_us", "work_us"),
    *_required(Boolean, "is_end_unknown"),
    *_optional(Text, "settled"),
    *_required(Boolean, "is_asked"),
    *_optional(Integer, "score", "highest"),
    *_optional(Text, "faults"),
)

LATE_LEGS = Table(
    "late_legs",
    _PROJECTIONS,
    *_key(_ID, "call_id"),
    *_key(Integer, "version"),
    *_required(Integer, "leg"),
    *_required(_MOMENT, "known_at"),
)

RINGS = Table(
    "rings",
    _PROJECTIONS,
    *_key(_ID, "call_id"),
    *_key(Integer, "version"),
    *_required(Integer, "leg"),
    *_required(_MOMENT, "known_at", "moment"),
    *_required(Text, "direction", "channel"),
    *_optional(Text, "queue", "agent_id", "team", "demand_type"),
    *_optional(BigInteger, "ring_us"),
    *_optional(Text, "faults"),
)

PROMISES = Table(
    "promises",
    _PROJECTIONS,
    *_key(_ID, "call_id"),
    *_key(Integer, "promised_version"),
    *_required(Text, "case_id"),
    *_required(_MOMENT, "promised_at", "promised_known_at", "reply_by"),
    *_optional(Text, "queue", "agent_id", "team"),
    *_required(Text, "channel"),
    *_optional(Text, "demand_type"),
    *_optional(Integer, "ended_version"),
    *_optional(_MOMENT, "ended_at", "ended_known_at"),
    *_optional(Boolean, "is_replied"),
)

AGENT_STATES = Table(
    "agent_states",
    _PROJECTIONS,
    *_key(_ID, "agent_id", "fact_id"),
    *_key(Integer, "revision"),
    *_required(_MOMENT, "known_at", "since"),
    *_required(Text, "state"),
    *_optional(Text, "team", "reason"),
)

FOLLOW_UPS = Table(
    "follow_ups",
    _PROJECTIONS,
    *_key(_ID, "stream"),
    *_key(Integer, "number"),
    *_required(_ID, "follow_up_id"),
    *_required(Text, "project_id"),
    *_optional(Text, "cause", "work_area_id", "staff_id", "demand_type", "channel", "agent_id"),
    *_optional(_MOMENT, "planned_at", "planned_known_at"),
    *_required(Boolean, "is_planned_late"),
    *_optional(_MOMENT, "due_by", "ended_at", "ended_known_at"),
    *_required(Boolean, "is_ended_late"),
    *_optional(Text, "end_kind"),
    *_required(Boolean, "is_overdue"),
    *_optional(Integer, "score", "highest"),
    *_optional(_MOMENT, "scored_known_at"),
)

FOLLOWED_ORDERS = Table(
    "followed_orders",
    _PROJECTIONS,
    *_key(_ID, "order_id", "stream"),
    *_key(Integer, "number"),
    *_required(_MOMENT, "known_at"),
)

PROJECTIONS: Mapping[str, Table] = dict(_PROJECTIONS.tables)
for _table in PROJECTIONS.values():
    for _set in SETS:
        _table.to_metadata(METADATA, name=f"{_table.name}_{_set}")

REBUILDS = Table(
    "rebuilds",
    METADATA,
    *_key(BigInteger, "id"),
    *_required(Text, "state", "target", "asked_by"),
    *_required(_MOMENT, "asked_at"),
    *_required(BigInteger, "order_count", "done_count"),
    *_required(Text, "after_order_id"),
    *_required(BigInteger, "caught_up_place"),
    *_optional(BigInteger, "difference_count"),
    *_optional(JSON, "differences"),
    *_optional(Text, "failure"),
    *_optional(_MOMENT, "finished_at"),
    *_optional(Text, "switched_by"),
    *_optional(_MOMENT, "switched_at"),
)

DAYS_TOUCHED = Table(
    "days_touched",
    METADATA,
    *_key(Text, "source"),
    *_key(Date, "day"),
    *_required(BigInteger, "message_count"),
)

DAY_SUMS = Table(
    "day_sums",
    METADATA,
    *_key(Text, "shape"),
    *_key(Date, "day"),
    *_required(BigInteger, "message_count"),
    *_required(LargeBinary, "rows"),
    *_optional(LargeBinary, "buckets"),
)

FIGURE_RULES = Table(
    "figure_rules",
    METADATA,
    *_key(Boolean, "only_row"),
    *_required(Integer, "threshold_seconds", "short_seconds", "near_seconds", "late_after_seconds"),
    *_required(Text, "time_zone"),
    *_changed(),
    *_required(Integer, "silent_after_seconds", "three_rings_seconds"),
)

REPORT_RULES = Table(
    "report_rules",
    METADATA,
    *_key(Boolean, "only_row"),
    *_required(JSON, "body", "since"),
    *_required(_MOMENT, "installed_at"),
    *_changed(),
)

REPORT_RUNS = Table(
    "report_runs",
    METADATA,
    *_key(Text, "schedule_id", "kind"),
    *_key(Date, "first_day"),
    *_required(_MOMENT, "due_at", "filed_at"),
)

REPORTS = Table(
    "reports",
    METADATA,
    *_key(BigInteger, "id"),
    *_required(Text, "kind"),
    *_required(_MOMENT, "begins_at", "ends_at"),
    *_required(Text, "time_zone", "format", "language"),
    *_required(TEXTS, "roles"),
    *_optional(TEXTS, "areas"),
    *_required(Text, "asked_by"),
    *_required(_MOMENT, "asked_at"),
    *_required(Text, "state"),
    *_required(Integer, "section_count", "done_count"),
    *_optional(JSON, "manifest"),
    *_optional(LargeBinary, "file"),
    *_optional(Text, "failure"),
    *_optional(_MOMENT, "finished_at"),
    *_required(JSON, "rules"),
    *_optional(JSON, "edition"),
    *_required(Boolean, "is_filed"),
    *_optional(BigInteger, "contents_of"),
    *_required(Integer, "revision"),
)

REPORT_SECTIONS = Table(
    "report_sections",
    METADATA,
    *_key(BigInteger, "report_id"),
    *_key(Integer, "place"),
    *_required(LargeBinary, "content"),
)

WALLBOARD_RULES = Table(
    "wallboard_rules",
    METADATA,
    *_key(Boolean, "only_row"),
    *_required(JSON, "body"),
    *_changed(),
)

for _set in SETS:
    # The first release filled these; nothing reads them, and a later migration drops them.
    Table(
        f"order_facts_{_set}",
        METADATA,
        *_key(_ID, "order_id"),
        *_required(Integer, "version"),
        *_required(Text, "status", "device_type", "demand_type", "channel", "zone"),
        *_required(Boolean, "is_suspended"),
        *_optional(Text, "work_area_id"),
        *_required(_MOMENT, "created_at", "entered_at"),
    )
    Table(
        f"status_intervals_{_set}",
        METADATA,
        *_key(_ID, "order_id"),
        *_key(Integer, "until_version"),
        *_required(Text, "status", "next_status", "device_type", "demand_type", "channel", "zone"),
        *_optional(Text, "work_area_id"),
        *_required(_MOMENT, "entered_at", "left_at"),
    )
