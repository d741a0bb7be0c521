"""Partners and what they said, agents, calls and their facts."""

from chassis.migrations import execute

revision = "intake_0002"
down_revision = "intake_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table partners (
    id text collate "C" primary key,
    version integer not null,
    name_en text not null,
    name_zh text not null,
    is_active boolean not null,
    events_per_second integer not null,
    paced_until timestamptz not null default '-infinity',
    changed_at timestamptz not null
);
create table partner_events (
    partner_id text collate "C" not null,
    event_id text collate "C" not null,
    fingerprint bytea not null,
    subject text not null,
    type text not null,
    occurred_at timestamptz,
    received_at timestamptz not null,
    code text,
    primary key (partner_id, event_id)
);
create index partner_events_received_at on partner_events using brin (received_at);
create index partner_events_refused on partner_events (partner_id, received_at, event_id) where code is not null;
create table agents (
    id text collate "C" primary key,
    version integer not null,
    name text not null,
    team text,
    is_active boolean not null
);
create table agent_names (
    partner_id text collate "C" not null,
    name text collate "C" not null,
    agent_id text not null references agents (id),
    primary key (partner_id, name)
);
create table agent_streams (
    agent_id text collate "C" primary key,
    version integer not null,
    state text not null,
    since timestamptz not null,
    reason text,
    queues text[] not null,
    team text,
    partner_id text
);
create table agent_states (
    agent_id text collate "C" not null,
    fact_id text collate "C" not null,
    event_id text collate "C" not null,
    place bigint generated always as identity,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    published json not null,
    primary key (agent_id, fact_id)
);
create index agent_states_event on agent_states (event_id);
create table calls (
    id text collate "C" primary key,
    version integer not null,
    partner_id text,
    reference text,
    subscriber_id text,
    demand_type text,
    direction text not null,
    channel text not null,
    state text not null,
    started_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    queue text,
    agent_id text,
    team text,
    line text,
    caller text,
    wait_milliseconds bigint,
    talk_milliseconds bigint,
    changed_at timestamptz not null
) with (fillfactor = 70);
create index calls_started_at on calls (started_at desc, id desc);
create index calls_subscriber on calls (subscriber_id, started_at desc, id desc) where subscriber_id is not null;
create index calls_caller on calls (caller, started_at desc, id desc) where caller is not null;
create index calls_agent on calls (agent_id, started_at desc, id desc) where agent_id is not null;
create index calls_open on calls (changed_at) where state in ('offered', 'waiting', 'talking', 'held');
create table call_facts (
    call_id text collate "C" not null,
    fact_id text collate "C" not null,
    event_id text collate "C" not null,
    place bigint generated always as identity,
    type text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    said json not null,
    revision integer not null,
    published json not null,
    published_type text not null,
    primary key (call_id, fact_id)
) with (fillfactor = 70);
""")


def downgrade() -> None:
    execute("""
drop table call_facts, calls, agent_states, agent_streams, agent_names, agents, partner_events, partners;
""")
