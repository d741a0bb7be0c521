"""Stays with their reassignments and urges, and with what the completion said that began them.

Expands: code of before writes the defaults. The rebuild that the worker begins after the upgrade fills the columns.
"""

from chassis.migrations import execute

revision = "reporting_0016"
down_revision = "reporting_0015"
branch_labels = None
depends_on = None

_ADD = """
alter table stays_{name}
    add column next_staff_id text,
    add column reassign_count integer not null default 0,
    add column urge_count integer not null default 0,
    add column is_resolved boolean,
    add column is_petitioned boolean;
"""


def upgrade() -> None:
    for name in ("a", "b"):
        execute(_ADD.format(name=name))
    execute("update stream_state set live_shape = 9 where message_count = 0;")


def downgrade() -> None:
    for name in ("a", "b"):
        execute(
            f"alter table stays_{name} drop column next_staff_id, drop column reassign_count, drop column urge_count,"
            " drop column is_resolved, drop column is_petitioned;"
        )
