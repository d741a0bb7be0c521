"""Alarms of time limits: which orders are looked at when, what fired, who has seen it, and the ladder.

Expands. Orders of before are planned by the first look for earlier limits (`work_orders.rows_by_limits`): the release
that brings these tables marks every open order for it.
"""

from chassis.migrations import execute

revision = "dispatch_0004"
down_revision = "dispatch_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table alarm_watch (
    order_id text collate "C" primary key,
    look_at timestamptz not null,
    is_by_limits boolean not null default false
) with (fillfactor = 70);
create index alarm_watch_look_at on alarm_watch (look_at);
create table clock_alarms (
    id text collate "C" primary key,
    order_id text collate "C" not null,
    clock text not null,
    due_at timestamptz not null,
    minutes integer not null,
    kind text not null,
    fired_at timestamptz not null,
    body json not null,
    acknowledged_by text,
    acknowledged_at timestamptz,
    over_at timestamptz,
    unique (order_id, clock, due_at, minutes)
);
create index clock_alarms_fired_at on clock_alarms (fired_at, id);
create index clock_alarms_open on clock_alarms (fired_at, id) where acknowledged_at is null and over_at is null;
create table duplicate_links (
    link_id text collate "C" primary key,
    order_id text collate "C" not null
);
create index duplicate_links_order on duplicate_links (order_id);
create table escalation_rules (
    version integer primary key,
    body json not null,
    changed_by text not null,
    changed_at timestamptz not null
);
""")


def downgrade() -> None:
    execute("drop table alarm_watch, clock_alarms, duplicate_links, escalation_rules;")
