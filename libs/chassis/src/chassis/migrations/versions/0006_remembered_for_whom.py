"""Whom a remembered answer was given to.

Expands: code that does not know the columns leaves them empty, and such an answer is given again to a caller who sees
every area.
"""

from chassis.migrations import execute

revision = "chassis_0006"
down_revision = "chassis_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("alter table idempotency_keys add column role text, add column areas text[];")


def downgrade() -> None:
    execute("alter table idempotency_keys drop column role, drop column areas;")
