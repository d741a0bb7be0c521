"""Who staff are by their token, and who of them leads their work area."""

from chassis.migrations import execute

revision = "dispatch_0003"
down_revision = "dispatch_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table staff add column person_id text, add column is_lead boolean not null default false;
""")


def downgrade() -> None:
    execute("alter table staff drop column person_id, drop column is_lead;")
