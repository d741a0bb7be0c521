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
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.columns import ID, MOMENT, key, optional, required

IS_COMPLETE = True
"""Every table that a migration of reporting makes is declared here."""
SETS = ("a", "b")
METADATA = MetaData()
_PROJECTIONS = MetaData()
TEXTS = ARRAY(Text)


def _changed() -> list[Column]:
    """The version of a row of rules, and who changed it when."""
    return [*required(Integer, "version"), *optional(Text, "changed_by"), *optional(MOMENT, "changed_at")]


MESSAGES = Table(
    "messages",
    METADATA,
    *key(BigInteger, "place"),
    *required(ID, "message_id", "order_id"),
    *optional(Integer, "order_version"),
    *required(Text, "type", "source"),
    *required(MOMENT, "occurred_at", "recorded_at"),
    *required(Text, "actor_sub", "actor_role", "actor_name"),
    *optional(Text, "prev_hash", "event_hash", "correlation_id", "causation_id", "traceparent"),
    *required(LargeBinary, "data"),
    *required(Text, "topic"),
)
"""`order_id` and `order_version` are the subject and its stream's version: of an order, a call or an agent."""

STREAM_STATE = Table(
    "stream_state",
    METADATA,
    *key(Boolean, "is_only"),
    *required(BigInteger, "message_count"),
    *optional(MOMENT, "recorded_at"),
    *required(Text, "live"),
    *required(Integer, "generation"),
    *optional(Text, "following"),
    *required(Integer, "live_shape"),
    *required(Interval, "late_after"),
    *required(BigInteger, "call_message_count", "quality_message_count"),
)

STAYS = Table(
    "stays",
    _PROJECTIONS,
    *key(ID, "order_id"),
    *key(Integer, "since_version"),
    *optional(Integer, "until_version"),
    *required(MOMENT, "since_known_at"),
    *optional(MOMENT, "until_known_at"),
    *optional(Text, "from_status"),
    *required(Text, "status"),
    *optional(Text, "next_status"),
    *required(MOMENT, "entered_at"),
    *optional(MOMENT, "left_at"),
    *optional(BigInteger, "microseconds"),
    *required(Boolean, "is_since_late"),
    *optional(Boolean, "is_until_late"),
    *required(Boolean, "is_suspended"),
    *optional(Boolean, "is_misdispatch_valid"),
    *required(Integer, "dispatch_count", "completion_count"),
    *optional(Text, "work_area_id", "staff_id"),
    *required(Text, "device_type", "demand_type", "channel", "zone"),
    *required(ID, "subscriber_id"),
    *required(MOMENT, "created_at"),
    *optional(MOMENT, "appointment_at"),
    *required(Text, "held"),
    Column("urgency", Text, nullable=False, server_default="normal"),
    *optional(Text, "amended", "next_staff_id"),
    *required(Integer, "reassign_count", "urge_count"),
    *optional(Boolean, "is_resolved", "is_petitioned"),
)

SLA_CLOCKS = Table(
    "clocks",
    _PROJECTIONS,
    *key(ID, "order_id"),
    *key(Integer, "number"),
    *required(Integer, "since_version"),
    *required(MOMENT, "since_known_at"),
    *optional(MOMENT, "until_known_at"),
    *required(Boolean, "is_late"),
    *required(Text, "clock"),
    *required(Integer, "turn"),
    *required(Text, "state"),
    *optional(BigInteger, "limit_us"),
    *required(ARRAY(MOMENT), "began_at", "ended_at"),
    *optional(MOMENT, "due_at"),
    *optional(Boolean, "is_in_time"),
    *optional(MOMENT, "stopped_at"),
    *optional(Text, "stopped_by"),
    *optional(BigInteger, "microseconds"),
    *required(Integer, "extension_count"),
    *optional(Text, "work_area_id", "staff_id"),
    *required(Text, "device_type", "demand_type", "channel", "zone"),
    Column("urgency", Text, nullable=False, server_default="normal"),
)

LEGS = Table(
    "legs",
    _PROJECTIONS,
    *key(ID, "call_id"),
    *key(Integer, "leg"),
    *required(MOMENT, "known_at", "moment"),
    *required(Boolean, "is_offered"),
    *required(Text, "outcome", "direction", "channel"),
    *optional(Text, "queue", "agent_id", "team", "handler_id", "handler_team", "demand_type"),
    *optional(ID, "subscriber_id"),
    *optional(MOMENT, "answered_at", "ended_at"),
    *optional(BigInteger, "wait_us", "ring_us", "talk_us", "hold_us", "work_us"),
    *required(Boolean, "is_end_unknown"),
    *optional(Text, "settled"),
    *required(Boolean, "is_asked"),
    *optional(Integer, "score", "highest"),
    *optional(Text, "faults"),
)

LATE_LEGS = Table(
    "late_legs",
    _PROJECTIONS,
    *key(ID, "call_id"),
    *key(Integer, "version"),
    *required(Integer, "leg"),
    *required(MOMENT, "known_at"),
)

RINGS = Table(
    "rings",
    _PROJECTIONS,
    *key(ID, "call_id"),
    *key(Integer, "version"),
    *required(Integer, "leg"),
    *required(MOMENT, "known_at", "moment"),
    *required(Text, "direction", "channel"),
    *optional(Text, "queue", "agent_id", "team", "demand_type"),
    *optional(BigInteger, "ring_us"),
    *optional(Text, "faults"),
)

PROMISES = Table(
    "promises",
    _PROJECTIONS,
    *key(ID, "call_id"),
    *key(Integer, "promised_version"),
    *required(Text, "case_id"),
    *required(MOMENT, "promised_at", "promised_known_at", "reply_by"),
    *optional(Text, "queue", "agent_id", "team"),
    *required(Text, "channel"),
    *optional(Text, "demand_type"),
    *optional(Integer, "ended_version"),
    *optional(MOMENT, "ended_at", "ended_known_at"),
    *optional(Boolean, "is_replied"),
)

AGENT_STATES = Table(
    "agent_states",
    _PROJECTIONS,
    *key(ID, "agent_id", "fact_id"),
    *key(Integer, "revision"),
    *required(MOMENT, "known_at", "since"),
    *required(Text, "state"),
    *optional(Text, "team", "reason"),
)

FOLLOW_UPS = Table(
    "follow_ups",
    _PROJECTIONS,
    *key(ID, "stream"),
    *key(Integer, "number"),
    *required(ID, "follow_up_id"),
    *required(Text, "project_id"),
    *optional(Text, "cause", "work_area_id", "staff_id", "demand_type", "channel", "agent_id"),
    *optional(MOMENT, "planned_at", "planned_known_at"),
    *required(Boolean, "is_planned_late"),
    *optional(MOMENT, "due_by", "ended_at", "ended_known_at"),
    *required(Boolean, "is_ended_late"),
    *optional(Text, "end_kind"),
    *required(Boolean, "is_overdue"),
    *optional(Integer, "score", "highest"),
    *optional(MOMENT, "scored_known_at"),
)

FOLLOWED_ORDERS = Table(
    "followed_orders",
    _PROJECTIONS,
    *key(ID, "order_id", "stream"),
    *key(Integer, "number"),
    *required(MOMENT, "known_at"),
)

PROJECTIONS: Mapping[str, Table] = dict(_PROJECTIONS.tables)
for _table in PROJECTIONS.values():
    for _set in SETS:
        _table.to_metadata(METADATA, name=f"{_table.name}_{_set}")

REBUILDS = Table(
    "rebuilds",
    METADATA,
    *key(BigInteger, "id"),
    *required(Text, "state", "target", "asked_by"),
    *required(MOMENT, "asked_at"),
    *required(BigInteger, "order_count", "done_count"),
    *required(Text, "after_order_id"),
    *required(BigInteger, "caught_up_place"),
    *optional(BigInteger, "difference_count"),
    *optional(JSON, "differences"),
    *optional(Text, "failure"),
    *optional(MOMENT, "finished_at"),
    *optional(Text, "switched_by"),
    *optional(MOMENT, "switched_at"),
)

DAYS_TOUCHED = Table(
    "days_touched",
    METADATA,
    *key(Text, "source"),
    *key(Date, "day"),
    *required(BigInteger, "message_count"),
)

DAY_SUMS = Table(
    "day_sums",
    METADATA,
    *key(Text, "shape"),
    *key(Date, "day"),
    *required(BigInteger, "message_count"),
    *required(LargeBinary, "rows"),
    *optional(LargeBinary, "buckets"),
)

FIGURE_RULES = Table(
    "figure_rules",
    METADATA,
    *key(Boolean, "only_row"),
    *required(Integer, "threshold_seconds", "short_seconds", "near_seconds", "late_after_seconds"),
    *required(Text, "time_zone"),
    *_changed(),
    *required(Integer, "silent_after_seconds", "three_rings_seconds"),
)

REPORT_RULES = Table(
    "report_rules",
    METADATA,
    *key(Boolean, "only_row"),
    *required(JSON, "body", "since"),
    *required(MOMENT, "installed_at"),
    *_changed(),
)

REPORT_RUNS = Table(
    "report_runs",
    METADATA,
    *key(Text, "schedule_id", "kind"),
    *key(Date, "first_day"),
    *required(MOMENT, "due_at", "filed_at"),
)

REPORTS = Table(
    "reports",
    METADATA,
    *key(BigInteger, "id"),
    *required(Text, "kind"),
    *required(MOMENT, "begins_at", "ends_at"),
    *required(Text, "time_zone", "format", "language"),
    *required(TEXTS, "roles"),
    *optional(TEXTS, "areas"),
    *required(Text, "asked_by"),
    *required(MOMENT, "asked_at"),
    *required(Text, "state"),
    *required(Integer, "section_count", "done_count"),
    *optional(JSON, "manifest"),
    *optional(LargeBinary, "file"),
    *optional(Text, "failure"),
    *optional(MOMENT, "finished_at"),
    *required(JSON, "rules"),
    *optional(JSON, "edition"),
    *required(Boolean, "is_filed"),
    *optional(BigInteger, "contents_of"),
    *required(Integer, "revision"),
)

REPORT_SECTIONS = Table(
    "report_sections",
    METADATA,
    *key(BigInteger, "report_id"),
    *key(Integer, "place"),
    *required(LargeBinary, "content"),
)

WALLBOARD_RULES = Table(
    "wallboard_rules",
    METADATA,
    *key(Boolean, "only_row"),
    *required(JSON, "body"),
    *_changed(),
)

for _set in SETS:
    # The first release filled these; nothing reads them, and a later migration drops them.
    Table(
        f"order_facts_{_set}",
        METADATA,
        *key(ID, "order_id"),
        *required(Integer, "version"),
        *required(Text, "status", "device_type", "demand_type", "channel", "zone"),
        *required(Boolean, "is_suspended"),
        *optional(Text, "work_area_id"),
        *required(MOMENT, "created_at", "entered_at"),
    )
    Table(
        f"status_intervals_{_set}",
        METADATA,
        *key(ID, "order_id"),
        *key(Integer, "until_version"),
        *required(Text, "status", "next_status", "device_type", "demand_type", "channel", "zone"),
        *optional(Text, "work_area_id"),
        *required(MOMENT, "entered_at", "left_at"),
    )
