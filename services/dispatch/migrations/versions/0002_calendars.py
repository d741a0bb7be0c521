"""Calendars of working days and hours, which dispatch defines for every service."""

from chassis.migrations import execute

revision = "dispatch_0002"
down_revision = "dispatch_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table calendars (
    id text collate "C" primary key,
    version integer not null,
    name_en text not null,
    name_zh text not null,
    working_time text not null,
    statutory_days date[] not null,
    announced_years integer[] not null,
    provisional_years integer[] not null
);
""")


def downgrade() -> None:
    execute("drop table calendars;")
