"""The time limits: every set that operators have defined."""

from chassis.migrations import execute

revision = "time_limits_0001"
down_revision = None
branch_labels = ("time_limits",)
depends_on = None


def upgrade() -> None:
    execute("""
create table time_limits (
    version integer primary key,
    body json not null,
    changed_by text not null,
    changed_at timestamptz not null
);
""")


def downgrade() -> None:
    execute("drop table time_limits;")
