"""The tables of dispatch, exactly as its migrations make them; those of the libraries are declared there."""

from sqlalchemy import ARRAY, Boolean, Column, DateTime, ForeignKey, Integer, MetaData, Table, Text

METADATA = MetaData()
_ID = Text(collation="C")

work_areas = Table(
    "work_areas",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("territories", ARRAY(Text), nullable=False),
    Column("demand_types", ARRAY(Text), nullable=False),
    Column("device_types", ARRAY(Text), nullable=False),
    Column("is_open", Boolean, nullable=False),
)
staff = Table(
    "staff",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("work_area_id", _ID, ForeignKey("work_areas.id"), nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("is_active", Boolean, nullable=False),
)
rules = Table(
    "rules",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
