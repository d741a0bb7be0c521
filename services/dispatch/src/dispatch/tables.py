"""The tables of dispatch, exactly as its migrations create them; each column has its name and type here only.

The tables of orders are in `work_orders.tables`, the technical ones in `chassis.tables`.
"""

from sqlalchemy import ARRAY, Boolean, Column, Date, ForeignKey, Integer, MetaData, Table, Text

from chassis.columns import ID, MOMENT, key, required

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
