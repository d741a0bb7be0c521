"""Replays of what partners were told, and how long it is kept, how many a replay sends and how fast.

Expands: code of before does not know the table, and the columns have defaults.
"""

from chassis.migrations import execute

revision = "intake_0017"
down_revision = "intake_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table partner_replays (
    partner_id text collate "C" primary key,
    event_id text collate "C" not null,
    subject text not null,
    since timestamptz not null,
    until timestamptz not null,
    after_at timestamptz not null,
    after_place bigint not null,
    message_count integer not null,
    next_at timestamptz not null
);
alter table partners add column replay_days integer not null default 30,
    add column replay_messages integer not null default 10000,
    add column replay_per_second integer not null default 100;
""")


def downgrade() -> None:
    execute("""
alter table partners drop column replay_days, drop column replay_messages, drop column replay_per_second;
drop table partner_replays;
""")
