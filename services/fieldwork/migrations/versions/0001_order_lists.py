"""The indexes of order lists."""

from chassis.migrations import execute

revision = "fieldwork_0001"
down_revision = None
branch_labels = ("fieldwork",)
depends_on = "work_orders_0001"


def upgrade() -> None:
    # The to-do lists read orders of two statuses in one order: only an index without the status has it.
    execute("""
create index work_orders_area on work_orders (work_area_id, status, urgency, due_at, id);
create index work_orders_status on work_orders (status, urgency, due_at, id);
create index work_orders_area_to_do on work_orders (work_area_id, urgency, due_at, id)
    where status in ('dispatched', 'processing');
create index work_orders_to_do on work_orders (urgency, due_at, id) where status in ('dispatched', 'processing');
create index work_orders_order_no on work_orders (order_no);
create index work_orders_subscriber_no on work_orders (subscriber_no);
""")


def downgrade() -> None:
    execute("""
drop index work_orders_area, work_orders_status, work_orders_area_to_do, work_orders_to_do, work_orders_order_no,
    work_orders_subscriber_no;
""")
