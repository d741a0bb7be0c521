"""Names from the directory, rules of reports with their schedules, and which periods were filed.

Expands: a report of before has no edition and is of the rules that are shipped; code of before leaves the new columns
as they are.
"""

from chassis.migrations import execute

revision = "reporting_0012"
down_revision = "reporting_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table report_rules (
    only_row boolean primary key default true check (only_row),
    body json not null default '{}',
    since json not null default '{}',
    installed_at timestamptz not null default now(),
    version integer not null default 1,
    changed_by text,
    changed_at timestamptz
);
insert into report_rules default values;
create table report_runs (
    schedule_id text not null,
    kind text not null,
    first_day date not null,
    due_at timestamptz not null,
    filed_at timestamptz not null,
    primary key (schedule_id, kind, first_day)
);
alter table reports add column edition json;
alter table reports add column is_filed boolean not null default false;
alter table reports add column contents_of bigint;
alter table reports add column revision integer not null default 1;
create index reports_filed on reports (id) where is_filed;
create index reports_contents_of on reports (contents_of) where contents_of is not null;
create index reports_finished_at on reports (finished_at);
""")


def downgrade() -> None:
    execute("""
alter table reports drop column edition, drop column is_filed, drop column contents_of, drop column revision;
drop table report_runs, report_rules;
""")
