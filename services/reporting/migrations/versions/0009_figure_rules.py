"""The numbers that figures use, as one row that an operator changes; the columns' defaults are what is shipped.

Expands: code of before goes on with `stream_state.late_after`, which nothing else reads any more, and with numbers
of its own, which are the default of a report's rules.
"""

from chassis.migrations import execute

revision = "reporting_0009"
down_revision = "reporting_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table figure_rules (
    only_row boolean primary key default true check (only_row),
    threshold_seconds integer not null default 20,
    short_seconds integer not null default 5,
    near_seconds integer not null default 1800,
    late_after_seconds integer not null default 300,
    time_zone text not null default 'Asia/Shanghai',
    version integer not null default 1,
    changed_by text,
    changed_at timestamptz
);
insert into figure_rules (late_after_seconds)
    select least(greatest(extract(epoch from late_after), 0), 86400)::integer from stream_state;
alter table reports add column rules json not null default
    '{"threshold_seconds": 20, "short_seconds": 5, "near_seconds": 1800, "late_after_seconds": 300,
      "time_zone": "Asia/Shanghai"}';
""")


def downgrade() -> None:
    execute("""
update stream_state set late_after = (select make_interval(secs => late_after_seconds) from figure_rules);
alter table reports drop column rules;
drop table figure_rules;
""")
