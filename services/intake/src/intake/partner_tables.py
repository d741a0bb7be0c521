"""The tables of partners, what they sent and what they were told; with the metadata that all tables of intake share."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Identity, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.columns import ID, MOMENT, key, optional, required

METADATA = MetaData()

PARTNERS = Table(
    "partners",
    METADATA,
    *key(ID, "id"),
    *required(Integer, "version"),
    *required(Text, "name_en", "name_zh"),
    *required(Boolean, "is_active"),
    *required(Integer, "events_per_second"),
    *required(MOMENT, "paced_until", "changed_at"),
    Column("subscriber_fields", ARRAY(Text), nullable=False, server_default="{}"),
    Column("replay_days", Integer, nullable=False, server_default="30"),
    Column("replay_messages", Integer, nullable=False, server_default="10000"),
    Column("replay_per_second", Integer, nullable=False, server_default="100"),
)

PARTNER_REPLAYS = Table(
    "partner_replays",
    METADATA,
    *key(ID, "partner_id"),
    *required(ID, "event_id"),
    *required(Text, "subject"),
    *required(MOMENT, "since", "until", "after_at"),
    *required(BigInteger, "after_place"),
    *required(Integer, "message_count"),
    *required(MOMENT, "next_at"),
)
"""The running replay of a partner: sent up to the message of (`after_at`, `after_place`), goes on at `next_at`."""

PARTNER_EVENTS = Table(
    "partner_events",
    METADATA,
    *key(ID, "partner_id", "event_id"),
    *required(LargeBinary, "fingerprint"),
    *required(Text, "subject", "type"),
    *optional(MOMENT, "occurred_at"),
    *required(MOMENT, "received_at"),
    *optional(Text, "code"),
)

PARTNER_ORDERS = Table(
    "partner_orders",
    METADATA,
    *key(ID, "order_id"),
    *required(ID, "partner_id", "reference"),
    *required(Text, "subject"),
)
"""`reference` is the partner's own number as it is stored, `subject` as the partner writes it."""

PARTNER_REQUESTS = Table(
    "partner_requests",
    METADATA,
    *key(ID, "request_id"),
    *required(ID, "partner_id", "event_id"),
    *required(Text, "subject"),
)
"""The event of the partner that waits for the answer to a request."""

PARTNER_MESSAGES = Table(
    "partner_messages",
    METADATA,
    *key(ID, "message_id"),
    *required(ID, "partner_id"),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    *required(MOMENT, "recorded_at"),
    *optional(ID, "order_id"),
    *required(Text, "subject", "payload"),
    *required(JSON, "headers"),
    *required(Boolean, "is_owed"),
)
"""What partners were told. `is_owed`: it became known while a restored database caught up, and is sent at its end."""
