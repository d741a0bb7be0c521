"""Clocks of orders beside their stays: one row a state of a clock, and when it was known.

Expands: a record that is there already has no clocks yet, so `live_shape` has the worker rebuild the projections.
"""

from chassis.migrations import execute

revision = "reporting_0008"
down_revision = "reporting_0007"
branch_labels = None
depends_on = None

_SET = """
create table clocks_{name} (
    order_id text collate "C" not null,
    number integer not null,
    since_version integer not null,
    since_known_at timestamptz not null,
    until_known_at timestamptz,
    is_late boolean not null,
    clock text not null,
    turn integer not null,
    state text not null,
    limit_us bigint,
    began_at timestamptz[] not null,
    ended_at timestamptz[] not null,
    due_at timestamptz,
    is_in_time boolean,
    stopped_at timestamptz,
    stopped_by text,
    microseconds bigint,
    extension_count integer not null,
    work_area_id text,
    staff_id text,
    device_type text not null,
    demand_type text not null,
    channel text not null,
    zone text not null,
    primary key (order_id, number)
) with (fillfactor = 80);
create index clocks_{name}_stopped_at on clocks_{name} (stopped_at) where state = 'stopped';
create index clocks_{name}_due_at on clocks_{name} (due_at) where until_known_at is null and stopped_at is null;
"""


def upgrade() -> None:
    for name in ("a", "b"):
        execute(_SET.format(name=name))
    execute("update stream_state set live_shape = 5 where message_count = 0;\n")


def downgrade() -> None:
    execute("drop table clocks_a, clocks_b;\nupdate stream_state set live_shape = 4;\n")
