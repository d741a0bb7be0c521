"""The request that a restored database has found and owes an answer, until it is settled.

Expands: null where nothing is owed.
"""

from chassis.migrations import execute

revision = "work_orders_0002"
down_revision = "work_orders_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("alter table requests_seen add column owed jsonb;")


def downgrade() -> None:
    execute("alter table requests_seen drop column owed;")
