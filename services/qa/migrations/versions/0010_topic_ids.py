"""Which topic a position belongs to: one that was deleted and created again has another id.

Expands: a column that is null until the id has been seen.
"""

from chassis.migrations import execute
from chassis.offsets import TOPIC_ID_V1

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(TOPIC_ID_V1)


def downgrade() -> None:
    execute("alter table positions drop column topic_id;\n")
