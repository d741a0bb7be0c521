"""What every service with orders has, and the rule that an external reference belongs to one order."""

from chassis.migrations import execute
from chassis.schema import TECHNICAL_TABLES_V1
from work_orders.order_table import WORK_ORDERS_V1
from work_orders.sealing_keys import SEALING_KEYS_V1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(TECHNICAL_TABLES_V1)
    execute(WORK_ORDERS_V1)
    execute(SEALING_KEYS_V1)
    execute("create unique index work_orders_external_reference on work_orders (external_reference);\n")
