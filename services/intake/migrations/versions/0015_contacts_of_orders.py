"""Whom to contact about an order, where that is not its subscriber.

Expands: one table.
"""

from chassis.migrations import execute

revision = "intake_0015"
down_revision = "intake_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table order_contacts (
    id text collate "C" primary key,
    order_id text not null,
    subscriber_id text not null,
    name text not null,
    phone text not null,
    added_by text not null,
    added_at timestamp with time zone not null
);
create index order_contacts_order on order_contacts (order_id);
create index order_contacts_subscriber on order_contacts (subscriber_id);
""")


def downgrade() -> None:
    execute("drop table order_contacts;")
