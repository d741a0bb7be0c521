"""When the next limit of an order is over, and by which set of limits that was computed.

Expands: a release before leaves both as they are. Orders that it created have version -1, and the worker of this
release computes them anew (`work_orders.rows_by_limits`); what it changed is as it was until the order's next event.
"""

from chassis.migrations import execute

revision = "work_orders_0004"
down_revision = "work_orders_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table work_orders add column next_due_at timestamptz, add column rules_version integer not null default -1;
create index work_orders_rules_version on work_orders (rules_version, id) where custodian is not null;
""")


def downgrade() -> None:
    execute("alter table work_orders drop column next_due_at, drop column rules_version;")
