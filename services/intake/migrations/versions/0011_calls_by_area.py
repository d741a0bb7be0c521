"""Calls are found by the area of the order that they led to.

Expands: two indexes. With them a list of calls within areas begins with the area's orders where these are few, and
with the latest calls where they are many.
"""

from chassis.migrations import execute

revision = "intake_0011"
down_revision = "intake_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create index settlements_order on settlements (order_id) where order_id is not null;
create index work_orders_area on work_orders (work_area_id) where work_area_id is not null;
""")


def downgrade() -> None:
    execute("""
drop index work_orders_area;
drop index settlements_order;
""")
