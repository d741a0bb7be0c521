"""Agents of a partner who are not registered are listed once each, instead of marking their calls.

Expands: code of before does not know the table.
"""

from chassis.migrations import execute

revision = "intake_0010"
down_revision = "intake_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table unregistered_agents (
    partner_id text not null,
    name text not null,
    first_seen_at timestamptz not null,
    primary key (partner_id, name)
);
""")


def downgrade() -> None:
    execute("drop table unregistered_agents;")
