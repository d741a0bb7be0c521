"""Stays in place of facts and intervals: one row a stay of an order in a status, and when it was known.

Expands: the tables of before stay, and code of before goes on writing them. A record that is there already
has no stays yet: `live_shape` says so, and the worker rebuilds the projections from it.
"""

from chassis.migrations import execute

revision = "reporting_0002"
down_revision = "reporting_0001"
branch_labels = None
depends_on = None

_BUCKET = """
create function duration_bucket(microseconds bigint) returns integer language sql immutable strict parallel safe as $$
    select case when thousandths < 128 then thousandths::integer
        else (58 - first_one) * 64 + (thousandths >> (58 - first_one))::integer end
    from (
        select thousandths, position('1' in thousandths::bit(64)::text) as first_one
        from (select greatest(microseconds, 0) / 1000 as thousandths) as asked
    ) as given
$$;
"""

_SET = """
create table stays_{name} (
    order_id text collate "C" not null,
    since_version integer not null,
    until_version integer,
    since_known_at timestamptz not null,
    until_known_at timestamptz,
    from_status text,
    status text not null,
    next_status text,
    entered_at timestamptz not null,
    left_at timestamptz,
    microseconds bigint,
    is_since_late boolean not null,
    is_until_late boolean,
    is_suspended boolean not null,
    is_misdispatch_valid boolean,
    dispatch_count integer not null,
    completion_count integer not null,
    work_area_id text,
    staff_id text,
    device_type text not null,
    demand_type text not null,
    channel text not null,
    zone text not null,
    subscriber_id text collate "C" not null,
    created_at timestamptz not null,
    primary key (order_id, since_version)
) with (fillfactor = 80);
create index stays_{name}_entered_at on stays_{name} (entered_at);
create index stays_{name}_left_at on stays_{name} (left_at);
create index stays_{name}_repeats on stays_{name} (subscriber_id, demand_type, created_at) where since_version = 1;
"""


def upgrade() -> None:
    execute(_BUCKET)
    execute("""
alter table stream_state
    add column live_shape integer not null default 1,
    add column late_after interval not null default '5 minutes';
update stream_state set live_shape = 2 where message_count = 0;
""")
    for name in ("a", "b"):
        execute(_SET.format(name=name))


def downgrade() -> None:
    execute("""
drop table stays_a, stays_b;
drop function duration_bucket(bigint);
alter table stream_state drop column live_shape, drop column late_after;
""")
