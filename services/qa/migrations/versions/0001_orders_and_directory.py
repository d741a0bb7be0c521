"""Orders, and a copy of the directory."""

from chassis.migrations import execute
from chassis.schema import TECHNICAL_TABLES_V1
from work_orders.directory import DIRECTORY_V1
from work_orders.order_table import WORK_ORDERS_V1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(TECHNICAL_TABLES_V1)
    execute(WORK_ORDERS_V1)
    execute(DIRECTORY_V1)
    # The work list reads orders of two statuses in one order: only an index without the status has it.
    execute("""
create index work_orders_status on work_orders (status, urgency, due_at, id);
create index work_orders_to_audit on work_orders (urgency, due_at, id) where status in ('completed', 'auditing');
create index work_orders_recent on work_orders (changed_at, id) where status in ('archived', 'cancelled');
create index work_orders_order_no on work_orders (order_no);
create index work_orders_subscriber_no on work_orders (subscriber_no);
""")


def downgrade() -> None:
    execute("""
drop table work_orders, requests_seen, directory;
drop table outbox, idempotency_keys, positions, parked;
""")
