"""What a restored database notes: up to where it must read before it acts, and what it owes an answer.

Expands: a column that is null says that nothing is to be caught up.
"""

from chassis.migrations import execute
from chassis.recovery.fence import RESTORED_UNTIL_V1
from work_orders.order_table import OWED_V1

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(RESTORED_UNTIL_V1)
    execute(OWED_V1)


def downgrade() -> None:
    execute("alter table positions drop column restored_until;\n")
    execute("alter table requests_seen drop column owed;\n")
