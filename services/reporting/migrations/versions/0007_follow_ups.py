"""Follow-ups and how content subscribers were, in the record beside orders and calls; what is odd about a leg.

Expands: the tables are of both sets. Those of follow-ups are filled as the topic `quality` is read from its beginning;
legs are folded again by the rebuild that the worker begins after the upgrade.
"""

from chassis.migrations import execute

revision = "reporting_0007"
down_revision = "reporting_0006"
branch_labels = None
depends_on = None

_SET = """
create table follow_ups_{name} (
    stream text collate "C" not null,
    number integer not null,
    follow_up_id text collate "C" not null,
    project_id text not null,
    cause text,
    work_area_id text,
    staff_id text,
    demand_type text,
    channel text,
    agent_id text,
    planned_at timestamptz,
    planned_known_at timestamptz,
    is_planned_late boolean not null,
    due_by timestamptz,
    ended_at timestamptz,
    ended_known_at timestamptz,
    is_ended_late boolean not null,
    end_kind text,
    is_overdue boolean not null,
    score integer,
    highest integer,
    scored_known_at timestamptz,
    primary key (stream, number)
) with (fillfactor = 80);
create index follow_ups_{name}_planned_at on follow_ups_{name} (planned_at);
create index follow_ups_{name}_ended_at on follow_ups_{name} (ended_at);
create table followed_orders_{name} (
    order_id text collate "C" not null,
    stream text collate "C" not null,
    number integer not null,
    known_at timestamptz not null,
    primary key (order_id, stream, number)
);
create index followed_orders_{name}_stream on followed_orders_{name} (stream);
alter table legs_{name} add column faults text;
"""


def upgrade() -> None:
    execute("""
alter table stream_state add column quality_message_count bigint not null default 0;
create index messages_quality on messages (order_id, place) where topic = 'quality';
update stream_state set live_shape = 4 where message_count = 0;
""")
    for name in ("a", "b"):
        execute(_SET.format(name=name))


def downgrade() -> None:
    execute("""
drop table follow_ups_a, follow_ups_b, followed_orders_a, followed_orders_b;
alter table legs_a drop column faults;
alter table legs_b drop column faults;
drop index messages_quality;
alter table stream_state drop column quality_message_count;
""")
