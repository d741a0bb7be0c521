"""Sealing keys of subscribers, wrapped."""

from chassis.migrations import execute
from work_orders.sealing_keys import SEALING_KEYS_V1

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(SEALING_KEYS_V1)


def downgrade() -> None:
    execute("drop table sealing_keys;")
