"""The indexes of order lists."""

from chassis.migrations import execute

revision = "qa_0001"
down_revision = None
branch_labels = ("qa",)
depends_on = "work_orders_0001"


def upgrade() -> None:
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
drop index work_orders_status, work_orders_to_audit, work_orders_recent, work_orders_order_no,
    work_orders_subscriber_no;
""")
