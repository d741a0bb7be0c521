"""Publishing rests while an operator needs the topics to stand still."""

from chassis.migrations import execute
from chassis.recovery.pause import PUBLISHING_RESTS_V1

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(PUBLISHING_RESTS_V1)


def downgrade() -> None:
    execute("drop table publishing_rests;\n")
