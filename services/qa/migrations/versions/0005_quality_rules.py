"""The rules of quality that belong to no form, plan or project, as one row that an operator changes.

Expands: code of before goes on with days of UTC.
"""

from chassis.migrations import execute

revision = "qa_0005"
down_revision = "qa_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table quality_rules (
    only_row boolean primary key default true check (only_row),
    time_zone text not null default 'Asia/Shanghai',
    version integer not null default 1,
    changed_by text,
    changed_at timestamptz
);
insert into quality_rules default values;
""")


def downgrade() -> None:
    execute("drop table quality_rules;\n")
