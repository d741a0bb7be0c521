"""Promised replies to difficult cases, counted from what `calls` has told of them.

Expands: the tables are of both sets, and are filled by the rebuild that the worker begins after the upgrade.
"""

from chassis.migrations import execute

revision = "reporting_0010"
down_revision = "reporting_0009"
branch_labels = None
depends_on = None

_SET = """
create table promises_{name} (
    call_id text collate "C" not null,
    promised_version integer not null,
    case_id text not null,
    promised_at timestamptz not null,
    promised_known_at timestamptz not null,
    reply_by timestamptz not null,
    queue text,
    agent_id text,
    team text,
    channel text not null,
    demand_type text,
    ended_version integer,
    ended_at timestamptz,
    ended_known_at timestamptz,
    is_replied boolean,
    primary key (call_id, promised_version)
);
create index promises_{name}_reply_by on promises_{name} (reply_by);
"""


def upgrade() -> None:
    for name in ("a", "b"):
        execute(_SET.format(name=name))
    execute("update stream_state set live_shape = 6 where message_count = 0;\n")


def downgrade() -> None:
    execute("drop table promises_a, promises_b;\nupdate stream_state set live_shape = 5;\n")
