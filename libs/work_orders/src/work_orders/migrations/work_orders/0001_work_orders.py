"""The row of an order, and the requests that its service has seen; each service adds the indexes of its own lists."""

from chassis.migrations import execute

revision = "work_orders_0001"
down_revision = None
branch_labels = ("work_orders",)
depends_on = None


def upgrade() -> None:
    execute("""
create table work_orders (
    id text collate "C" primary key,
    version integer not null,
    stream_version integer not null,
    status text not null,
    custodian text,
    work_area_id text,
    order_no text not null,
    external_reference text,
    subscriber_no text not null,
    device_type text not null,
    demand_type text not null,
    urgency smallint not null,
    due_at timestamptz not null,
    changed_at timestamptz not null,
    last_hash text not null,
    body json not null
) with (fillfactor = 70);
create table requests_seen (
    request_id text primary key,
    order_id text not null,
    settled_hop integer not null,
    is_answered boolean not null
);
""")


def downgrade() -> None:
    execute("drop table work_orders, requests_seen;")
