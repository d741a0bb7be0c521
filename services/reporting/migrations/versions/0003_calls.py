"""Calls in the record beside orders, their legs, and what agents were doing.

Expands: every message of before is of the topic `work-orders`, which is the default. In `messages`, `order_id`
and `order_version` are the subject and its stream's version: an order's, a call's or an agent's.
"""

from chassis.migrations import execute

revision = "reporting_0003"
down_revision = "reporting_0002"
branch_labels = None
depends_on = None

_SET = """
create table legs_{name} (
    call_id text collate "C" not null,
    leg integer not null,
    known_at timestamptz not null,
    moment timestamptz not null,
    is_offered boolean not null,
    outcome text not null,
    direction text not null,
    channel text not null,
    queue text,
    agent_id text,
    team text,
    demand_type text,
    subscriber_id text collate "C",
    answered_at timestamptz,
    ended_at timestamptz,
    wait_us bigint,
    talk_us bigint,
    hold_us bigint,
    work_us bigint,
    settled text,
    is_asked boolean not null,
    score integer,
    highest integer,
    primary key (call_id, leg)
) with (fillfactor = 80);
create index legs_{name}_moment on legs_{name} (moment);
create index legs_{name}_known_at on legs_{name} (known_at);
create index legs_{name}_subscriber on legs_{name} (subscriber_id, moment) where leg = 1 and subscriber_id is not null;
create table late_legs_{name} (
    call_id text collate "C" not null,
    version integer not null,
    leg integer not null,
    known_at timestamptz not null,
    primary key (call_id, version)
);
create table agent_states_{name} (
    agent_id text collate "C" not null,
    fact_id text collate "C" not null,
    revision integer not null,
    known_at timestamptz not null,
    since timestamptz not null,
    state text not null,
    team text,
    reason text,
    primary key (agent_id, fact_id, revision)
);
create index agent_states_{name}_since on agent_states_{name} (agent_id, since);
"""


def upgrade() -> None:
    execute("""
alter table messages add column topic text not null default 'work-orders';
alter table stream_state add column call_message_count bigint not null default 0;
update stream_state set live_shape = 3 where message_count = 0;
""")
    for name in ("a", "b"):
        execute(_SET.format(name=name))


def downgrade() -> None:
    execute("""
drop table legs_a, legs_b, late_legs_a, late_legs_b, agent_states_a, agent_states_b;
alter table messages drop column topic;
alter table stream_state drop column call_message_count;
""")
