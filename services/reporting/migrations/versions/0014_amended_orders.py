"""How urgent orders are, and what they are amended to.

Expands: columns with defaults. Orders of before have no amendments and are of normal urgency, which is what their
events say, so nothing is rebuilt.
"""

from chassis.migrations import execute

revision = "reporting_0014"
down_revision = "reporting_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
alter table stays_{name} add column urgency text not null default 'normal', add column amended text;
alter table clocks_{name} add column urgency text not null default 'normal';
""")


def downgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
alter table clocks_{name} drop column urgency;
alter table stays_{name} drop column amended, drop column urgency;
""")
