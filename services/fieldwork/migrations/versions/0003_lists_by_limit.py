"""The indexes of order lists, which are sorted by the next limit.

Expands: a release before sorts its lists without an index while both run.
"""

from chassis.migrations import execute

revision = "fieldwork_0003"
down_revision = "fieldwork_0002"
branch_labels = None
depends_on = "work_orders_0004"

_KEY = "urgency, coalesce(next_due_at, '9999-12-30 00:00:00+00'::timestamptz), due_at, id"


def upgrade() -> None:
    execute(f"""
drop index work_orders_area, work_orders_status, work_orders_area_to_do, work_orders_to_do;
create index work_orders_area on work_orders (work_area_id, status, {_KEY});
create index work_orders_status on work_orders (status, {_KEY});
create index work_orders_area_to_do on work_orders (work_area_id, {_KEY})
    where status in ('dispatched', 'processing');
create index work_orders_to_do on work_orders ({_KEY})
    where status in ('dispatched', 'processing');
""")


def downgrade() -> None:
    execute("""
drop index work_orders_area, work_orders_status, work_orders_area_to_do, work_orders_to_do;
create index work_orders_area on work_orders (work_area_id, status, urgency, due_at, id);
create index work_orders_status on work_orders (status, urgency, due_at, id);
create index work_orders_area_to_do on work_orders (work_area_id, urgency, due_at, id)
    where status in ('dispatched', 'processing');
create index work_orders_to_do on work_orders (urgency, due_at, id)
    where status in ('dispatched', 'processing');
""")
