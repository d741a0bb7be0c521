"""The time limits: every set that operators have defined."""

from chassis.migrations import execute
from work_orders.time_limits import TIME_LIMITS_V1

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(TIME_LIMITS_V1)


def downgrade() -> None:
    execute("drop table time_limits;\n")
