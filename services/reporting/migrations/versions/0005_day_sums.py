"""Sums of whole days, kept until something of the day changes."""

from chassis.migrations import execute

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table days_touched (
    source text not null,
    day date not null,
    message_count bigint not null,
    primary key (source, day)
);
create table day_sums (
    shape text not null,
    day date not null,
    message_count bigint not null,
    rows bytea not null,
    primary key (shape, day)
);
""")


def downgrade() -> None:
    execute("drop table day_sums, days_touched;\n")
