"""Reveals, legal holds, erasures and retention of people's data."""

from chassis.migrations import execute
from intake.privacy.store import PEOPLE_V1

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(PEOPLE_V1)


def downgrade() -> None:
    execute("""
drop table retention_runs, retention_rules, erasures, legal_holds, reveals;
drop index idempotency_keys_about;
alter table idempotency_keys drop column about;
""")
