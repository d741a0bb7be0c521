"""The rule that an external reference belongs to one order."""

from chassis.migrations import execute

revision = "migrated_0001"
down_revision = None
branch_labels = ("migrated",)
depends_on = "work_orders_0001"


def upgrade() -> None:
    execute("create unique index work_orders_external_reference on work_orders (external_reference);")
