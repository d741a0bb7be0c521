"""The technical tables as migrations create them. A change here is a new version beside the old one."""

TECHNICAL_TABLES_V1 = """
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
"""
"""Columns of `outbox` are named as Debezium's outbox router has them, so that an operator can swap the
relay. Its identity has no cache: a number is drawn when the row is written, after the lock of its entity.
A queue table wants to be vacuumed early; its rows live for milliseconds."""

PARKED_EXCERPTS_V1 = """
alter table parked add column value_bytes bigint;
alter table parked add column value_sha256 text;
alter table parked add column is_excerpt boolean not null default false;
alter table parked add column offset_count bigint;
"""
"""`value_bytes` and `value_sha256` are of the whole of which `value` is an excerpt; they are null where nothing is
known of it, as of what was parked before. `offset_count` is set where a row stands for a range of offsets."""
