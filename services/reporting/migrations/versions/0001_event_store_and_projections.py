"""The event store, two sets of projections, and their rebuilds."""

from chassis.migrations import execute

revision = "reporting_0001"
down_revision = None
branch_labels = ("reporting",)
depends_on = None

_SET = """
create table order_facts_{name} (
    order_id text collate "C" primary key,
    version integer not null,
    status text not null,
    is_suspended boolean not null,
    work_area_id text,
    device_type text not null,
    demand_type text not null,
    channel text not null,
    zone text not null,
    created_at timestamptz not null,
    entered_at timestamptz not null
) with (fillfactor = 70);
create table status_intervals_{name} (
    order_id text collate "C" not null,
    until_version integer not null,
    status text not null,
    next_status text not null,
    work_area_id text,
    device_type text not null,
    demand_type text not null,
    channel text not null,
    zone text not null,
    entered_at timestamptz not null,
    left_at timestamptz not null,
    primary key (order_id, until_version)
);
create index status_intervals_{name}_left_at on status_intervals_{name} (left_at);
"""


def upgrade() -> None:
    execute("""
create table stream_state (
    is_only boolean primary key default true check (is_only),
    message_count bigint not null default 0,
    recorded_at timestamptz,
    live text not null default 'a',
    generation integer not null default 1,
    following text
) with (fillfactor = 50);
insert into stream_state default values;
create table messages (
    place bigint primary key,
    message_id text collate "C" not null,
    order_id text collate "C" not null,
    order_version integer,
    type text not null,
    source text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    actor_sub text not null,
    actor_role text not null,
    actor_name text not null,
    prev_hash text,
    event_hash text,
    correlation_id text,
    causation_id text,
    traceparent text,
    data bytea not null
);
create unique index messages_message_id on messages (message_id);
create unique index messages_order on messages (order_id, order_version);
create table rebuilds (
    id bigint generated always as identity primary key,
    state text not null,
    target text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    order_count bigint not null default 0,
    done_count bigint not null default 0,
    after_order_id text not null default '',
    caught_up_place bigint not null default 0,
    difference_count bigint,
    differences json,
    failure text,
    finished_at timestamptz,
    switched_by text,
    switched_at timestamptz
);
create unique index rebuilds_one_at_a_time on rebuilds ((true)) 
    where state in ('building', 'catching_up', 'comparing', 'ready');
""")
    for name in ("a", "b"):
        execute(_SET.format(name=name))


def downgrade() -> None:
    execute("""
drop table rebuilds, messages, stream_state;
drop table order_facts_a, order_facts_b, status_intervals_a, status_intervals_b;
""")
