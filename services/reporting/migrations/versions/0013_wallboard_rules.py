"""Thresholds and colours of the wallboard, as one row that an operator changes; an empty body is what is shipped.

Expands: code of before does not read them.
"""

from chassis.migrations import execute

revision = "reporting_0013"
down_revision = "reporting_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table wallboard_rules (
    only_row boolean primary key default true check (only_row),
    body json not null default '{}',
    version integer not null default 1,
    changed_by text,
    changed_at timestamptz
);
insert into wallboard_rules default values;
""")


def downgrade() -> None:
    execute("drop table wallboard_rules")
