"""Up to where a restored database must read before it acts.

Expands: a column that is null says that nothing is to be caught up.
"""

from chassis.migrations import execute

revision = "chassis_0002"
down_revision = "chassis_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("alter table positions add column restored_until bigint;")


def downgrade() -> None:
    execute("alter table positions drop column restored_until;")
