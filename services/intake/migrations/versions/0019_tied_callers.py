"""Callers without a number, and the subscribers that they turned out to be.

Expands: one table.
"""

from chassis.migrations import execute

revision = "intake_0019"
down_revision = "intake_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table tied_callers (
    caller_id text collate "C" primary key,
    subscriber_id text collate "C" not null,
    tied_by text not null,
    tied_at timestamp with time zone not null
);
create index tied_callers_subscriber on tied_callers (subscriber_id);
""")


def downgrade() -> None:
    execute("drop table tied_callers;")
