"""Reports that are built in the background, section by section, so that one that was cut off goes on."""

from chassis.migrations import execute

revision = "reporting_0004"
down_revision = "reporting_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table reports (
    id bigint generated always as identity primary key,
    kind text not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    time_zone text not null,
    format text not null,
    language text not null,
    roles text[] not null,
    areas text[],
    asked_by text not null,
    asked_at timestamptz not null,
    state text not null default 'waiting',
    section_count integer not null,
    done_count integer not null default 0,
    manifest json,
    file bytea,
    failure text,
    finished_at timestamptz
);
create index reports_asked_by on reports (asked_by, id);
create index reports_to_build on reports (id) where state in ('waiting', 'building');
create table report_sections (
    report_id bigint not null references reports on delete cascade,
    place integer not null,
    content bytea not null,
    primary key (report_id, place)
);
""")


def downgrade() -> None:
    execute("drop table report_sections, reports;\n")
