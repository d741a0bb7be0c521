"""Whose the time of orders was: the parts of each stay by holder.

Expands: columns with defaults. They are filled by the rebuild that the worker begins after the upgrade; code of before
goes on without them.
"""

from chassis.migrations import execute

revision = "reporting_0015"
down_revision = "reporting_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
alter table stays_{name} add column appointment_at timestamptz, add column held text not null default '[]';
""")
    execute("update stream_state set live_shape = 8 where message_count = 0;")


def downgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
alter table stays_{name} drop column held, drop column appointment_at;
""")
    execute("update stream_state set live_shape = 7 where message_count = 0;")
