"""Publishing rests while an operator needs the topics to stand still.

Expands: code of before does not look, so an operator lets it rest only when no such code runs any more.
"""

from chassis.migrations import execute
from chassis.recovery.pause import PUBLISHING_RESTS_V1

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(PUBLISHING_RESTS_V1)


def downgrade() -> None:
    execute("drop table publishing_rests;\n")
