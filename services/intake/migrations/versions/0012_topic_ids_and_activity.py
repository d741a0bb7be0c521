"""Which topic a position belongs to, and when something last happened with a subscriber.

Expands: columns that may be null, and a table. A retention rule whose `is_active` is null is as shipped: erasing by
age is off.
"""

from chassis.migrations import execute
from chassis.offsets import TOPIC_ID_V1
from intake.activity_store import ACTIVITY_V1

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(TOPIC_ID_V1)
    execute(ACTIVITY_V1)


def downgrade() -> None:
    execute("""
alter table retention_runs drop column subscribers_due, drop column is_erasing;
alter table retention_rules drop column is_active;
drop table follow_up_activity;
alter table positions drop column topic_id;
""")
