"""${message}"""

from chassis.migrations import execute

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
    """)


def downgrade() -> None:
    execute("""
    """)
