"""Publishing rests while an operator needs the topics to stand still.

Expands: code that does not know the table does not look, so an operator lets publishing rest only when none of it runs.
"""

from chassis.migrations import execute

revision = "chassis_0003"
down_revision = "chassis_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table publishing_rests (
    is_only boolean primary key default true check (is_only),
    until timestamptz not null,
    asked_by text not null
);
""")


def downgrade() -> None:
    execute("drop table publishing_rests;")
