"""The tables of dispatch, exactly as its migrations create them; each column has its name and type here only.

The tables of orders are in `work_orders.tables`, the technical ones in `chassis.tables`.
"""

from sqlalchemy import ARRAY, JSON, Boolean, Column, Date, ForeignKey, Integer, MetaData, Table, Text

from chassis.columns import ID, MOMENT, key, required
from work_orders.tables import rules_table

METADATA = MetaData()
IS_COMPLETE = True
"""Every table of dispatch is declared here."""

WORK_AREAS = Table(
    "work_areas",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(Text, "name_en", "name_zh"),
    *required(ARRAY(Text), "territories", "demand_types", "device_types"),
    *required(Boolean, "is_open"),
)
STAFF = Table(
    "staff",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(Text, "name"),
    Column("work_area_id", ID, ForeignKey(WORK_AREAS.c.id), nullable=False),
    *required(ARRAY(Text), "skills"),
    *required(Boolean, "is_active"),
    Column("person_id", Text),
    *required(Boolean, "is_lead"),
)
CALENDARS = Table(
    "calendars",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(Text, "name_en", "name_zh", "working_time"),
    *required(ARRAY(Date), "statutory_days"),
    *required(ARRAY(Integer), "announced_years", "provisional_years"),
)
RULES = Table(
    "rules",
    METADATA,
    *key(Text, "name"),
    *required(Integer, "value", "version"),
    *required(Text, "changed_by"),
    *required(MOMENT, "changed_at"),
)
ALARM_WATCH = Table(
    "alarm_watch",
    METADATA,
    *key(ID, "order_id"),
    *required(MOMENT, "look_at"),
    *required(Boolean, "is_by_limits"),
)
"""When each order with a running clock is looked at; `is_by_limits`: because other limits have moved its deadline."""

CLOCK_ALARMS = Table(
    "clock_alarms",
    METADATA,
    *key(ID, "id"),
    *required(ID, "order_id"),
    *required(Text, "clock"),
    *required(MOMENT, "due_at"),
    *required(Integer, "minutes"),
    *required(Text, "kind"),
    *required(MOMENT, "fired_at"),
    *required(JSON, "body"),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", MOMENT),
    Column("over_at", MOMENT),
)
"""`over_at`: the clock has stopped, or has another due time."""

DUPLICATE_LINKS = Table("duplicate_links", METADATA, *key(ID, "link_id"), *required(ID, "order_id"))
"""The orders that are linked to another as its duplicate."""

ESCALATION_RULES = rules_table("escalation_rules", METADATA)
