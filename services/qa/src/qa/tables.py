"""The tables of qa, exactly as its migrations create them; each column has its name and type here only.

One block a feature. The tables of orders are in `work_orders.tables`, the technical ones in `chassis.tables`.
"""

from sqlalchemy import (
    ARRAY,
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
    func,
)
from sqlalchemy.types import TypeEngine

METADATA = MetaData()
IS_COMPLETE = True
"""Every table of qa is declared here."""
_MOMENT = DateTime(timezone=True)
_ID = Text(collation="C")
_Kind = type[TypeEngine] | TypeEngine


def _key(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind, primary_key=True, autoincrement=False) for name in names]


def _required(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind, nullable=False) for name in names]


def _optional(kind: _Kind, *names: str) -> list[Column]:
    return [Column(name, kind) for name in names]


def _document() -> list[Column]:
    """What a table of `chassis.document_store` begins with."""
    return [*_key(_ID, "id"), *_required(Integer, "version"), *_required(JSON, "body")]


def _created_at() -> Column:
    return Column("created_at", _MOMENT, nullable=False, server_default=func.now())


# rules

QUALITY_RULES = Table(
    "quality_rules",
    METADATA,
    Column("only_row", Boolean, primary_key=True, server_default="true"),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("version", Integer, nullable=False, server_default="1"),
    *_optional(Text, "changed_by"),
    *_optional(_MOMENT, "changed_at"),
)

# recordings

CALL_FACTS = Table(
    "call_facts",
    METADATA,
    *_key(_ID, "call_id"),
    *_key(Text, "fact_id"),
    *_required(Integer, "revision", "place"),
    *_required(Text, "type"),
    *_required(_MOMENT, "at"),
    *_required(JSON, "body"),
)
RECORDINGS = Table(
    "recordings",
    METADATA,
    *_document(),
    *_required(Text, "call_id"),
    *_optional(Text, "agent_id", "team", "queue"),
    *_required(Text, "channel"),
    *_optional(Text, "demand_type"),
    *_required(ARRAY(Text), "order_ids"),
    *_required(_MOMENT, "started_at"),
)
RECORDING_OPENINGS = Table(
    "recording_openings",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    *_required(Text, "recording_id", "opened_by"),
    *_required(_MOMENT, "opened_at"),
    *_required(Text, "purpose", "note"),
)

# sampling

AGENTS = Table("agents", METADATA, *_key(Text, "id"), *_required(Date, "joined_on"))
SAMPLING_PLANS = Table("sampling_plans", METADATA, *_document(), *_required(_MOMENT, "committed_at"))
SAMPLING_SEEDS = Table("sampling_seeds", METADATA, *_key(Text, "plan_id"), *_required(LargeBinary, "seed"))
SAMPLING_FRAME = Table(
    "sampling_frame",
    METADATA,
    *_key(Text, "plan_id"),
    *_key(_ID, "recording_id"),
    *_required(Text, "call_id"),
    *_optional(Text, "stratum"),
    *_required(Integer, "size"),
    *_required(Boolean, "is_mandatory"),
    *_required(BigInteger, "numerator", "denominator"),
    *_required(Boolean, "is_drawn"),
    *_required(JSON, "facts"),
)

# evaluation

AUDITORS = Table(
    "auditors", METADATA, *_key(Text, "id"), *_required(Integer, "daily_capacity"), *_required(Boolean, "is_active")
)
EVALUATION_FORMS = Table(
    "evaluation_forms",
    METADATA,
    *_document(),
    *_required(Text, "form_id"),
    *_required(Integer, "form_version"),
    *_required(_MOMENT, "published_at"),
)
REVIEWS = Table(
    "reviews",
    METADATA,
    *_document(),
    *_required(Text, "plan_id", "recording_id", "state"),
    *_optional(Text, "standing_evaluation_id"),
    _created_at(),
)
EVALUATIONS = Table(
    "evaluations",
    METADATA,
    *_document(),
    *_required(Text, "review_id", "plan_id", "recording_id", "agent_id", "auditor_id", "form", "mode"),
    *_required(Date, "day_on"),
    *_required(Text, "state"),
    *_required(Boolean, "is_settled"),
    *_optional(_MOMENT, "submitted_at"),
    *_optional(Integer, "raw_hundredths", "final_hundredths"),
    *_required(Boolean, "is_fatal"),
    _created_at(),
)
APPEALS = Table(
    "appeals",
    METADATA,
    *_document(),
    *_required(Text, "evaluation_id", "agent_id", "auditor_id", "state"),
    *_required(_MOMENT, "decide_by"),
    *_optional(_MOMENT, "decided_at"),
)

# follow-up

CALENDARS = Table("calendars", METADATA, *_document(), _created_at())
QUESTIONNAIRES = Table(
    "questionnaires",
    METADATA,
    *_document(),
    *_required(Text, "questionnaire_id"),
    *_required(Integer, "questionnaire_version"),
    *_required(_MOMENT, "published_at"),
)
FOLLOW_UP_PROJECTS = Table(
    "follow_up_projects",
    METADATA,
    *_document(),
    *_required(Text, "cause"),
    *_required(_MOMENT, "start_at", "end_at"),
    *_required(Boolean, "is_open"),
)
ORDER_OUTAGES = Table(
    "order_outages",
    METADATA,
    *_key(Text, "link_id"),
    *_required(Text, "order_id"),
    *_optional(Text, "outage_id"),
    *_optional(_MOMENT, "linked_at"),
    *_required(Boolean, "is_undone"),
)
FOLLOW_UPS = Table(
    "follow_ups",
    METADATA,
    *_document(),
    *_required(Text, "project_id", "subscriber_no", "thing"),
    *_required(ARRAY(Text), "order_ids"),
    *_optional(Text, "work_area_id"),
    *_required(Text, "state"),
    *_optional(Text, "end_kind", "holder", "first_holder"),
    *_required(_MOMENT, "due_by", "next_call_at"),
    *_optional(_MOMENT, "taken_at", "ended_at"),
    *_optional(Integer, "satisfaction"),
    _created_at(),
)
FINDINGS = Table(
    "findings",
    METADATA,
    *_document(),
    *_required(Text, "project_id", "follow_up_id", "kind"),
    *_optional(Text, "work_area_id"),
    *_required(Text, "state"),
    *_required(_MOMENT, "found_at"),
)

# calibration

CALIBRATION_SESSIONS = Table(
    "calibration_sessions", METADATA, *_document(), *_required(Text, "state"), *_required(_MOMENT, "opened_at")
)

# typical cases

TYPICAL_CASES = Table(
    "typical_cases",
    METADATA,
    *_document(),
    *_required(Text, "kind"),
    *_optional(Text, "demand_type"),
    *_required(Boolean, "is_in_use"),
    *_required(_MOMENT, "collected_at"),
)
