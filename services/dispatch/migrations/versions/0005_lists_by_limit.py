"""The indexes of order lists, which are sorted by the next limit.

Expands: a release before sorts its lists without an index while both run.
"""

from chassis.migrations import execute

revision = "dispatch_0005"
down_revision = "dispatch_0004"
branch_labels = None
depends_on = "work_orders_0004"

_KEY = "urgency, coalesce(next_due_at, '9999-12-30 00:00:00+00'::timestamptz), due_at, id"


def upgrade() -> None:
    execute(f"""
drop index work_orders_urgent, work_orders_waiting;
create index work_orders_by_limit on work_orders (status, {_KEY});
create index work_orders_waiting on work_orders ({_KEY})
    where status in ('created', 'rejected', 'redispatching');
""")


def downgrade() -> None:
    execute("""
drop index work_orders_by_limit, work_orders_waiting;
create index work_orders_urgent on work_orders (status, urgency, due_at, id);
create index work_orders_waiting on work_orders (urgency, due_at, id)
    where status in ('created', 'rejected', 'redispatching');
""")
