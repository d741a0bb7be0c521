"""Outages that were planned, and what a partner may set of subscribers.

Expands: both columns have a default, which code of before writes.
"""

from chassis.migrations import execute

revision = "intake_0016"
down_revision = "intake_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table outages add column is_planned boolean not null default false;
alter table partners add column subscriber_fields text[] not null default '{}';
""")


def downgrade() -> None:
    execute("""
alter table partners drop column subscriber_fields;
alter table outages drop column is_planned;
""")
