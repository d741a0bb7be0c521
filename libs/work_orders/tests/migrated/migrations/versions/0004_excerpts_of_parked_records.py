"""Of a record that cannot be decoded or is too large an excerpt is parked, with the size and the hash of the whole.

Expands: code of before goes on parking whole values.
"""

from chassis.migrations import execute
from chassis.schema import PARKED_EXCERPTS_V1

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(PARKED_EXCERPTS_V1)


def downgrade() -> None:
    execute(
        "alter table parked drop column value_bytes, drop column value_sha256, drop column is_excerpt,"
        " drop column offset_count;\n"
    )
