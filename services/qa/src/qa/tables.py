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
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
)

from chassis.columns import ID, MOMENT, key, optional, required

METADATA = MetaData()
IS_COMPLETE = True
"""Every table of qa is declared here."""


def _document() -> list[Column]:
    """What a table of `chassis.document_store` begins with."""
    return [*key(ID, "id"), *required(Integer, "version"), *required(JSON, "body")]


def _created_at() -> Column:
    return Column("created_at", MOMENT, nullable=False, server_default=func.now())


# rules

QUALITY_RULES = Table(
    "quality_rules",
    METADATA,
    Column("only_row", Boolean, primary_key=True, server_default="true"),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("version", Integer, nullable=False, server_default="1"),
    *optional(Text, "changed_by"),
    *optional(MOMENT, "changed_at"),
)

# recordings

CALL_FACTS = Table(
    "call_facts",
    METADATA,
    *key(ID, "call_id"),
    *key(Text, "fact_id"),
    *required(Integer, "revision", "place"),
    *required(Text, "type"),
    *required(MOMENT, "at"),
    *required(JSON, "body"),
)
RECORDINGS = Table(
    "recordings",
    METADATA,
    *_document(),
    *required(Text, "call_id"),
    *optional(Text, "agent_id", "team", "queue"),
    *required(Text, "channel"),
    *optional(Text, "demand_type"),
    *required(ARRAY(Text), "order_ids"),
    *required(MOMENT, "started_at"),
)
RECORDING_OPENINGS = Table(
    "recording_openings",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    *required(Text, "recording_id", "opened_by"),
    *required(MOMENT, "opened_at"),
    *required(Text, "purpose", "note"),
)

# sampling

AGENTS = Table("agents", METADATA, *key(Text, "id"), *required(Date, "joined_on"))
SAMPLING_PLANS = Table("sampling_plans", METADATA, *_document(), *required(MOMENT, "committed_at"))
SAMPLING_SEEDS = Table("sampling_seeds", METADATA, *key(Text, "plan_id"), *required(LargeBinary, "seed"))
SAMPLING_FRAME = Table(
    "sampling_frame",
    METADATA,
    *key(Text, "plan_id"),
    *key(ID, "recording_id"),
    *required(Text, "call_id"),
    *optional(Text, "stratum"),
    *required(Integer, "size"),
    *required(Boolean, "is_mandatory"),
    *required(BigInteger, "numerator", "denominator"),
    *required(Boolean, "is_drawn"),
    *required(JSON, "facts"),
)

# evaluation

AUDITORS = Table(
    "auditors", METADATA, *key(Text, "id"), *required(Integer, "daily_capacity"), *required(Boolean, "is_active")
)
EVALUATION_FORMS = Table(
    "evaluation_forms",
    METADATA,
    *_document(),
    *required(Text, "form_id"),
    *required(Integer, "form_version"),
    *required(MOMENT, "published_at"),
)
REVIEWS = Table(
    "reviews",
    METADATA,
    *_document(),
    *required(Text, "plan_id", "recording_id", "state"),
    *optional(Text, "standing_evaluation_id"),
    _created_at(),
)
EVALUATIONS = Table(
    "evaluations",
    METADATA,
    *_document(),
    *required(Text, "review_id", "plan_id", "recording_id", "agent_id", "auditor_id", "form", "mode"),
    *required(Date, "day_on"),
    *required(Text, "state"),
    *required(Boolean, "is_settled"),
    *optional(MOMENT, "submitted_at"),
    *optional(Integer, "raw_hundredths", "final_hundredths"),
    *required(Boolean, "is_fatal"),
    _created_at(),
)
APPEALS = Table(
    "appeals",
    METADATA,
    *_document(),
    *required(Text, "evaluation_id", "agent_id", "auditor_id", "state"),
    *required(MOMENT, "decide_by"),
    *optional(MOMENT, "decided_at"),
)

# follow-up

CALENDARS = Table("calendars", METADATA, *_document(), _created_at())
QUESTIONNAIRES = Table(
    "questionnaires",
    METADATA,
    *_document(),
    *required(Text, "questionnaire_id"),
    *required(Integer, "questionnaire_version"),
    *required(MOMENT, "published_at"),
)
FOLLOW_UP_PROJECTS = Table(
    "follow_up_projects",
    METADATA,
    *_document(),
    *required(Text, "cause"),
    *required(MOMENT, "start_at", "end_at"),
    *required(Boolean, "is_open"),
)
ORDER_OUTAGES = Table(
    "order_outages",
    METADATA,
    *key(Text, "link_id"),
    *required(Text, "order_id"),
    *optional(Text, "outage_id"),
    *optional(MOMENT, "linked_at"),
    *required(Boolean, "is_undone"),
)
FOLLOW_UPS = Table(
    "follow_ups",
    METADATA,
    *_document(),
    *required(Text, "project_id", "subscriber_no", "thing"),
    *required(ARRAY(Text), "order_ids"),
    *optional(Text, "work_area_id"),
    *required(Text, "state"),
    *optional(Text, "end_kind", "holder", "first_holder"),
    *required(MOMENT, "due_by", "next_call_at"),
    *optional(MOMENT, "taken_at", "ended_at"),
    *optional(Integer, "satisfaction"),
    _created_at(),
)
FINDINGS = Table(
    "findings",
    METADATA,
    *_document(),
    *required(Text, "project_id", "follow_up_id", "kind"),
    *optional(Text, "work_area_id"),
    *required(Text, "state"),
    *required(MOMENT, "found_at"),
)

# calibration

CALIBRATION_SESSIONS = Table(
    "calibration_sessions", METADATA, *_document(), *required(Text, "state"), *required(MOMENT, "opened_at")
)

# typical cases

TYPICAL_CASES = Table(
    "typical_cases",
    METADATA,
    *_document(),
    *required(Text, "kind"),
    *optional(Text, "demand_type"),
    *required(Boolean, "is_in_use"),
    *required(MOMENT, "collected_at"),
)
