"""The indexes of order lists, the directory of work areas and staff, and the rules operators change."""

from chassis.migrations import execute

revision = "dispatch_0001"
down_revision = None
branch_labels = ("dispatch",)
depends_on = "work_orders_0001"


def upgrade() -> None:
    # An order that has left dispatch is in none of the partial indexes, so following its further life is
    # cheap. `waiting` is the list that opens by default: one index over its three statuses, because an
    # index that begins with the status cannot give several of them in the order of urgency.
    execute("""
create index work_orders_urgent on work_orders (status, urgency, due_at, id);
create index work_orders_waiting on work_orders (urgency, due_at, id)
    where status in ('created', 'rejected', 'redispatching');
create index work_orders_waiting_order_no on work_orders (order_no)
    where status in ('created', 'rejected', 'redispatching');
create index work_orders_waiting_subscriber_no on work_orders (subscriber_no)
    where status in ('created', 'rejected', 'redispatching');
create table work_areas (
    id text collate "C" primary key,
    version integer not null,
    name_en text not null,
    name_zh text not null,
    territories text[] not null,
    demand_types text[] not null,
    device_types text[] not null,
    is_open boolean not null
);
create table staff (
    id text collate "C" primary key,
    version integer not null,
    name text not null,
    work_area_id text collate "C" not null references work_areas,
    skills text[] not null,
    is_active boolean not null
);
create index staff_work_area on staff (work_area_id, id);
create table rules (
    name text primary key,
    version integer not null,
    value integer not null,
    changed_by text not null,
    changed_at timestamptz not null
);
insert into rules (name, version, value, changed_by, changed_at)
    values ('rejection_budget', 1, 2, 'linework', now());
""")


def downgrade() -> None:
    execute("""
drop table rules, staff, work_areas;
drop index work_orders_urgent, work_orders_waiting, work_orders_waiting_order_no, work_orders_waiting_subscriber_no;
""")
