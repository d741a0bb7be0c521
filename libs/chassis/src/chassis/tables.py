"""The infrastructure tables of every service, as created by the migrations of the branch `chassis`.

Names and types of columns appear only here and in the migrations; a test compares the two.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import MOMENT

METADATA = MetaData()

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("aggregatetype", Text, nullable=False),
    Column("aggregateid", Text, nullable=False),
    Column("aggregate_version", Integer),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("created_at", MOMENT, nullable=False),
)
"""Its columns are named as Debezium's outbox router has them; docs/dependencies.md says what else a swap needs."""

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("caller", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("etag", Text),
    Column("response", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("role", Text),
    Column("areas", ARRAY(Text)),
)
"""`role` and `areas` are those of the caller who got the reply; null in rows that earlier releases wrote."""

POSITIONS = Table(
    "positions",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("restored_until", BigInteger),
    Column("topic_id", Uuid),
)
"""`restored_until` is null where nothing is to be caught up, `topic_id` until the id of the topic has been seen."""

PARKED = Table(
    "parked",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("raw_key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("parked_at", MOMENT, nullable=False),
    Column("repaired", JSONB),
    Column("settled_by", Text),
    Column("settled_at", MOMENT),
    Column("value_bytes", BigInteger),
    Column("value_sha256", Text),
    Column("is_excerpt", Boolean, nullable=False),
    Column("offset_count", BigInteger),
)
"""`value_bytes` and `value_sha256` are of the whole of which `value` is an excerpt; they are null where nothing is
known of it. `offset_count` is set where a row stands for a range of offsets."""

PUBLISHING_RESTS = Table(
    "publishing_rests",
    METADATA,
    Column("is_only", Boolean, primary_key=True),
    Column("until", MOMENT, nullable=False),
    Column("asked_by", Text, nullable=False),
)
