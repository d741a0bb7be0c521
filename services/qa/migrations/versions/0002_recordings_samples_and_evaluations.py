"""Recordings with the facts of their calls, samples, evaluations, appeals."""

from chassis.migrations import execute

revision = "qa_0002"
down_revision = "qa_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table call_facts (
    call_id text collate "C" not null,
    fact_id text not null,
    revision integer not null,
    place integer not null,
    type text not null,
    at timestamptz not null,
    body json not null,
    primary key (call_id, fact_id)
);
create table recordings (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    call_id text not null,
    agent_id text,
    team text,
    queue text,
    channel text not null,
    demand_type text,
    order_ids text[] not null,
    started_at timestamptz not null
);
create index recordings_started_at on recordings (started_at, id);
create index recordings_agent_id on recordings (agent_id, started_at, id);
create index recordings_call_id on recordings (call_id);
create table recording_openings (
    id bigint generated always as identity primary key,
    recording_id text not null,
    opened_by text not null,
    opened_at timestamptz not null,
    purpose text not null,
    note text not null
);
create index recording_openings_recording_id on recording_openings (recording_id, id);
create table agents (
    id text primary key,
    joined_on date not null
);
create table sampling_plans (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    committed_at timestamptz not null
);
create index sampling_plans_committed_at on sampling_plans (committed_at, id);
create table sampling_seeds (
    plan_id text primary key,
    seed bytea not null
);
create table sampling_frame (
    plan_id text not null,
    recording_id text collate "C" not null,
    call_id text not null,
    stratum text,
    size integer not null,
    is_mandatory boolean not null,
    numerator bigint not null,
    denominator bigint not null,
    is_drawn boolean not null,
    facts json not null,
    primary key (plan_id, recording_id)
);
create index sampling_frame_drawn on sampling_frame (plan_id, recording_id) where is_drawn;
create table auditors (
    id text primary key,
    daily_capacity integer not null,
    is_active boolean not null
);
create table evaluation_forms (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    form_id text not null,
    form_version integer not null,
    published_at timestamptz not null
);
create unique index evaluation_forms_version on evaluation_forms (form_id, form_version);
create table reviews (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    plan_id text not null,
    recording_id text not null,
    state text not null,
    standing_evaluation_id text,
    created_at timestamptz not null default now()
);
create index reviews_created_at on reviews (created_at, id);
create index reviews_plan on reviews (plan_id, recording_id);
create index reviews_waiting on reviews (plan_id, id) where state = 'waiting';
create table evaluations (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    review_id text not null,
    plan_id text not null,
    recording_id text not null,
    agent_id text not null,
    auditor_id text not null,
    form text not null,
    mode text not null,
    day_on date not null,
    state text not null,
    is_settled boolean not null,
    submitted_at timestamptz,
    raw_hundredths integer,
    final_hundredths integer,
    is_fatal boolean not null,
    created_at timestamptz not null default now()
);
create index evaluations_created_at on evaluations (created_at, id);
create index evaluations_review_id on evaluations (review_id);
create index evaluations_day_on on evaluations (day_on, auditor_id);
create index evaluations_auditor on evaluations (auditor_id, created_at, id);
create index evaluations_agent on evaluations (agent_id, created_at, id);
create table appeals (
    id text collate "C" primary key,
    version integer not null,
    body json not null,
    evaluation_id text not null,
    agent_id text not null,
    auditor_id text not null,
    state text not null,
    decide_by timestamptz not null,
    decided_at timestamptz
);
create index appeals_decide_by on appeals (decide_by, id);
create index appeals_evaluation_id on appeals (evaluation_id);
""")


def downgrade() -> None:
    execute("""
drop table appeals, evaluations, reviews, evaluation_forms, auditors, sampling_frame, sampling_seeds, sampling_plans;
drop table agents, recording_openings, recordings, call_facts;
""")
