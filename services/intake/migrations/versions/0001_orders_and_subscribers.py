"""The indexes of order lists, subscribers, the lists operators edit, history and requests."""

from chassis.migrations import execute

revision = "intake_0001"
down_revision = None
branch_labels = ("intake",)
depends_on = "work_orders_0001"


def upgrade() -> None:
    execute("""
create unique index work_orders_order_no on work_orders (order_no);
create unique index work_orders_external_reference on work_orders (external_reference)
    where external_reference is not null;
create index work_orders_subscriber_no on work_orders (subscriber_no, urgency, due_at, id);
create index work_orders_urgent on work_orders (status, urgency, due_at, id);
create sequence order_numbers;
create table subscribers (
    id text collate "C" primary key,
    version integer not null,
    subscriber_no text not null,
    name text not null,
    phones text[] not null,
    address text not null,
    kind text not null,
    zone text not null,
    territory text,
    notes text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
create unique index subscribers_subscriber_no on subscribers (subscriber_no);
create index subscribers_phones on subscribers using gin (phones);
create index subscribers_name on subscribers (name text_pattern_ops);
create index subscribers_address on subscribers (address text_pattern_ops);
create table order_types (
    kind text not null,
    code text not null,
    version integer not null,
    name_en text not null,
    name_zh text not null,
    is_active boolean not null,
    primary key (kind, code)
);
create table order_history (
    message_id text primary key,
    order_id text not null,
    place bigint generated always as identity,
    order_version integer,
    type text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    service text not null,
    actor_sub text not null,
    actor_role text not null,
    actor_name text not null,
    data json not null
);
create index order_history_order on order_history (order_id, place);
create table requests (
    id text primary key,
    order_id text not null,
    kind text not null,
    reason text not null,
    state text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    answered_at timestamptz,
    refusal json
);
create index requests_order on requests (order_id);
""")


def downgrade() -> None:
    execute("""
drop table requests, order_history, order_types, subscribers;
drop sequence order_numbers;
drop index work_orders_order_no, work_orders_external_reference, work_orders_subscriber_no, work_orders_urgent;
""")
