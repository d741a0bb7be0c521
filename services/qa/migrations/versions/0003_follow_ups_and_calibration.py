"""Follow-up projects, their follow-ups and findings; calibration sessions and typical cases."""

from chassis.migrations import execute

revision = "qa_0003"
down_revision = "qa_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table calendars (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    created_at timestamptz not null default now()
);
create table questionnaires (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    questionnaire_id text not null,
    questionnaire_version integer not null,
    published_at timestamptz not null
);
create unique index questionnaires_version on questionnaires (questionnaire_id, questionnaire_version);
create table follow_up_projects (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    cause text not null,
    start_at timestamptz not null,
    end_at timestamptz not null,
    is_open boolean not null
);
create table order_outages (
    link_id text primary key,
    order_id text not null,
    outage_id text,
    linked_at timestamptz,
    is_undone boolean not null
);
create index order_outages_order_id on order_outages (order_id);
create table follow_ups (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    project_id text not null,
    subscriber_no text not null,
    thing text not null,
    order_ids text[] not null,
    work_area_id text,
    state text not null,
    end_kind text,
    holder text,
    first_holder text,
    due_by timestamptz not null,
    next_call_at timestamptz not null,
    taken_at timestamptz,
    ended_at timestamptz,
    satisfaction integer,
    created_at timestamptz not null default now()
);
create unique index follow_ups_thing on follow_ups (thing) where end_kind is distinct from 'withdrawn';
create index follow_ups_order_ids on follow_ups using gin (order_ids);
create index follow_ups_due_by on follow_ups (due_by, id);
create index follow_ups_waiting on follow_ups (project_id, due_by, id) where state = 'waiting';
create index follow_ups_taken_at on follow_ups (project_id, taken_at);
create index follow_ups_created_at on follow_ups (project_id, created_at);
create index follow_ups_subscriber_no on follow_ups (subscriber_no);
create table findings (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    project_id text not null,
    follow_up_id text not null,
    kind text not null,
    work_area_id text,
    state text not null,
    found_at timestamptz not null
);
create index findings_found_at on findings (found_at, id);
create index findings_project on findings (project_id, found_at);
create table calibration_sessions (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    state text not null,
    opened_at timestamptz not null
);
create index calibration_sessions_opened_at on calibration_sessions (opened_at, id);
create table typical_cases (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    kind text not null,
    demand_type text,
    is_in_use boolean not null,
    collected_at timestamptz not null
);
create index typical_cases_collected_at on typical_cases (collected_at, id);
""")


def downgrade() -> None:
    execute("""
drop table typical_cases, calibration_sessions, findings, follow_ups, order_outages, follow_up_projects;
drop table questionnaires, calendars;
""")
