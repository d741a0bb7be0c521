"""An answer to a command is remembered with whom it was given to.

Expands: code of before leaves the columns empty, and such an answer is given again to whoever sees every area.
"""

from chassis.commands import REMEMBERED_FOR_WHOM_V1
from chassis.migrations import execute

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(REMEMBERED_FOR_WHOM_V1)


def downgrade() -> None:
    execute("alter table idempotency_keys drop column role, drop column areas;\n")
