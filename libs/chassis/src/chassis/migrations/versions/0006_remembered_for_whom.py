"""The role and work areas for which a reply was stored.

Expands: code that does not know the columns leaves them empty; such a reply is repeated only to a caller who reaches
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
