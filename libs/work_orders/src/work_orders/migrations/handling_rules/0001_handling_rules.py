"""The rules of handling orders: every version that this service has seen."""

from chassis.migrations import execute

revision = "handling_rules_0001"
down_revision = None
branch_labels = ("handling_rules",)
depends_on = None


def upgrade() -> None:
    execute("""
create table handling_rules (
    version integer primary key,
    body json not null,
    changed_by text not null,
    changed_at timestamptz not null
);
""")


def downgrade() -> None:
    execute("drop table handling_rules;")
