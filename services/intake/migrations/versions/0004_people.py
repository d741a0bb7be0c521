"""Reveals, legal holds, erasures and retention of people's data.

`about` is the subscriber whom a remembered answer shows. Reasons are sealed with the subscriber's key: what is left of
an erased subscriber are references, codes, times and who did it.
"""

from chassis.migrations import execute

revision = "intake_0004"
down_revision = "intake_0003"
branch_labels = None
depends_on = "chassis_0001"


def upgrade() -> None:
    execute("""
alter table idempotency_keys add column about text;
create index idempotency_keys_about on idempotency_keys (about) where about is not null;
create table reveals (
    id text collate "C" primary key,
    subscriber_id text not null,
    work_order_id text,
    purpose text not null,
    reason text,
    revealed_by text not null,
    revealed_by_name text not null,
    role text not null,
    revealed_at timestamptz not null
);
create index reveals_subscriber on reveals (subscriber_id, id);
create index reveals_revealed_at on reveals (revealed_at);
create table legal_holds (
    id text collate "C" primary key,
    subscriber_id text not null,
    reason text not null,
    set_by text not null,
    set_at timestamptz not null,
    lift_reason text,
    lifted_by text,
    lifted_at timestamptz
);
create index legal_holds_subscriber on legal_holds (subscriber_id, id);
create table erasures (
    subscriber_id text collate "C" primary key,
    ground text not null,
    erased_by text not null,
    role text not null,
    erased_at timestamptz not null,
    order_count integer not null,
    key_version integer not null
);
create index erasures_erased_at on erasures (erased_at);
create table retention_rules (
    data_class text primary key,
    keep_days integer not null,
    changed_by text not null,
    changed_at timestamptz not null
);
create table retention_runs (
    run_on date primary key,
    finished_at timestamptz not null,
    subscribers_erased integer not null,
    reveals_deleted integer not null,
    keys_wrapped_anew integer not null
);
""")


def downgrade() -> None:
    execute("""
drop table retention_runs, retention_rules, erasures, legal_holds, reveals;
drop index idempotency_keys_about;
alter table idempotency_keys drop column about;
""")
