"""The index of look-ups that are narrowed by a filter: latest change first. Nothing is sorted by urgency here."""

from chassis.migrations import execute

revision = "intake_0018"
down_revision = "intake_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create index work_orders_recent on work_orders (changed_at, id);
create index work_orders_status on work_orders (status, changed_at, id);
drop index work_orders_urgent;
""")


def downgrade() -> None:
    execute("""
create index work_orders_urgent on work_orders (status, urgency, due_at, id);
drop index work_orders_recent, work_orders_status;
""")
