"""Facts about orders: what was told beside their events. Expands."""

from chassis.migrations import execute

revision = "work_orders_0005"
down_revision = "work_orders_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table order_facts (
    id text primary key,
    order_id text collate "C" not null,
    kind text not null,
    service text not null,
    actor_sub text not null,
    actor_role text not null,
    actor_name text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    data json not null
);
create index order_facts_order on order_facts (order_id, recorded_at, id);
""")


def downgrade() -> None:
    execute("drop table order_facts;")
