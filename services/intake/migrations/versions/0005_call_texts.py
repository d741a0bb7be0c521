"""Calls whose caller nobody knows are forgotten after a time.

Expands: a column with a default, and a count of what each day's run has forgotten.
"""

from chassis.migrations import execute

revision = "intake_0005"
down_revision = "intake_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table calls add column is_forgotten boolean not null default false;
create index calls_unknown on calls (started_at) where subscriber_id is null and not is_forgotten;
alter table retention_runs add column callers_forgotten integer not null default 0;
""")


def downgrade() -> None:
    execute("""
alter table retention_runs drop column callers_forgotten;
alter table calls drop column is_forgotten;
""")
