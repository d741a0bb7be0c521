"""Who handled a leg, whether its end is known, rings that were not answered, and the rules of silence and three rings.

Expands: the new columns have defaults, and the tables are of both sets. They are filled by the rebuild that the worker
begins after the upgrade; code of before goes on without them. The few legs that are handled hours after their offer
have an index, so that whoever asks for the present reads no more than the calls of some hours.
"""

from chassis.migrations import execute

revision = "reporting_0011"
down_revision = "reporting_0010"
branch_labels = None
depends_on = None

_SET = """
alter table legs_{name}
    add column handler_id text,
    add column handler_team text,
    add column ring_us bigint,
    add column is_end_unknown boolean not null default false;
create index legs_{name}_handled_long on legs_{name} (answered_at)
    where answered_at is not null and (talk_us is null
        or answered_at < moment or answered_at - moment > interval '2 hours'
        or ended_at - answered_at > interval '2 hours'
        or talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0) > 7200000000);
create table rings_{name} (
    call_id text collate "C" not null,
    version integer not null,
    leg integer not null,
    known_at timestamptz not null,
    moment timestamptz not null,
    direction text not null,
    channel text not null,
    queue text,
    agent_id text,
    team text,
    demand_type text,
    ring_us bigint,
    faults text,
    primary key (call_id, version)
);
create index rings_{name}_moment on rings_{name} (moment);
"""


def upgrade() -> None:
    for name in ("a", "b"):
        execute(_SET.format(name=name))
    execute("""
alter table figure_rules
    add column silent_after_seconds integer not null default 14400,
    add column three_rings_seconds integer not null default 15;
update stream_state set live_shape = 7 where message_count = 0;
""")


def downgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
drop table rings_{name};
drop index legs_{name}_handled_long;
alter table legs_{name} drop column handler_id, drop column handler_team, drop column ring_us,
    drop column is_end_unknown;
""")
    execute("""
alter table figure_rules drop column silent_after_seconds, drop column three_rings_seconds;
update stream_state set live_shape = 6;
""")
