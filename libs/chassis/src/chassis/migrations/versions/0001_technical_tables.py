"""Outbox, remembered answers, positions, parked records.

Columns of `outbox` are named as Debezium's outbox router has them, so that an operator can swap the relay. Its identity
has no cache: a number is drawn when the row is written, after the order's row lock.
"""

from chassis.migrations import execute

revision = "chassis_0001"
down_revision = None
branch_labels = ("chassis",)
depends_on = None


def upgrade() -> None:
    execute("""
create table outbox (
    id bigint generated always as identity (cache 1) primary key,
    shard smallint not null,
    aggregatetype text not null,
    aggregateid text not null,
    aggregate_version integer,
    type text not null,
    payload bytea not null,
    headers jsonb not null,
    created_at timestamptz not null default clock_timestamp()
);
create table idempotency_keys (
    caller text not null,
    route text not null,
    key text not null,
    fingerprint text not null,
    status smallint not null,
    etag text,
    response bytea not null,
    created_at timestamptz not null default now(),
    primary key (caller, route, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
create table positions (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (topic, partition)
);
create table parked (
    id bigint generated always as identity primary key,
    topic text not null,
    key text not null,
    partition integer not null,
    "offset" bigint not null,
    raw_key bytea,
    value bytea,
    headers jsonb not null,
    reason text not null,
    state text not null default 'parked',
    parked_at timestamptz not null default now(),
    repaired jsonb,
    settled_by text,
    settled_at timestamptz
);
create unique index parked_place on parked (topic, partition, "offset");
create index parked_keys on parked (topic, key, id) where state = 'parked';
""")


def downgrade() -> None:
    execute("drop table outbox, idempotency_keys, positions, parked;")
