"""Which topic a position belongs to: one that was deleted and created again has another id.

Expands: a column that is null until the id has been seen.
"""

from chassis.migrations import execute

revision = "chassis_0005"
down_revision = "chassis_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("alter table positions add column topic_id uuid;")


def downgrade() -> None:
    execute("alter table positions drop column topic_id;")
