"""The tables of the order library, exactly as its migrations create them.

A service has those whose branch it names in its `alembic.ini`: `work_orders` (the first four), `sealing_keys`,
`directory`, `time_limits`, `handling_rules`. Each column has its name and type here and in the migrations only; a test
holds the two against each other. The indexes of order lists belong to the services.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import ID, MOMENT

METADATA = MetaData()

WORK_ORDERS = Table(
    "work_orders",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("stream_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("custodian", Text),
    Column("work_area_id", Text),
    Column("order_no", Text, nullable=False),
    Column("external_reference", Text),
    Column("subscriber_no", Text, nullable=False),
    Column("device_type", Text, nullable=False),
    Column("demand_type", Text, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("due_at", MOMENT, nullable=False),
    Column("changed_at", MOMENT, nullable=False),
    Column("last_hash", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("next_due_at", MOMENT),
    Column("rules_version", Integer, nullable=False),
    Column("facets", JSONB),
    Column("created_at", MOMENT),
    Column("faceted_version", Integer, nullable=False),
)

REQUESTS_SEEN = Table(
    "requests_seen",
    METADATA,
    Column("request_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("settled_hop", Integer, nullable=False),
    Column("is_answered", Boolean, nullable=False),
    Column("owed", JSONB),
)
"""`owed` is the request that a restored database found, until it is settled; see `work_orders.request_handling`."""

ORDER_FACTS = Table(
    "order_facts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("order_id", ID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("actor_sub", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("occurred_at", MOMENT, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
    Column("data", JSON, nullable=False),
)
"""`id` is that of the message; `data` is its body."""

ORDER_CHANGES = Table(
    "order_changes",
    METADATA,
    Column("changed_in", BigInteger, nullable=False),
    Column("order_id", ID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("work_area_id", Text),
    Column("left_work_area_id", Text),
    Column("recorded_at", MOMENT, nullable=False),
)
"""A row for each change of an order, written by a trigger: `changed_in` is the number of the transaction, and
`left_work_area_id` the area that the change took the order from. See `work_orders.changes`."""

SEALING_KEYS = Table(
    "sealing_keys",
    METADATA,
    Column("subscriber_id", ID, primary_key=True),
    Column("entity_version", Integer, nullable=False),
    Column("master_key_id", Text),
    Column("wrapped", Text),
)
"""Without `wrapped` the key was destroyed. Its row stays and has no other data of the subscriber."""

DIRECTORY = Table(
    "directory",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("id", ID, primary_key=True),
    Column("entity_version", Integer, nullable=False),
    Column("work_area_id", Text),
    Column("body", JSON, nullable=False),
)
"""`body` is the entity as it was last defined; `work_area_id` is where a member of staff belongs."""


def rules_table(name: str, metadata: MetaData) -> Table:
    """Of rules each version of which is a row; see `work_orders.versioned_rules`."""
    return Table(
        name,
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("body", JSON, nullable=False),
        Column("changed_by", Text, nullable=False),
        Column("changed_at", MOMENT, nullable=False),
    )


TIME_LIMITS = rules_table("time_limits", METADATA)
HANDLING_RULES = rules_table("handling_rules", METADATA)
