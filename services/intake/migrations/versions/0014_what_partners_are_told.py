"""The orders that partners asked for, what they ask of custodians, and the messages that they were sent.

Expands: code of before does not know the tables. The orders of before are listed too; an order that code of before
creates meanwhile is listed when its first event comes back from the stream.
"""

from chassis.migrations import execute

revision = "intake_0014"
down_revision = "intake_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table partner_orders (
    order_id text collate "C" primary key,
    partner_id text collate "C" not null,
    reference text collate "C" not null,
    subject text not null
);
create unique index partner_orders_reference on partner_orders (partner_id, reference);
insert into partner_orders (order_id, partner_id, reference, subject)
select id, partner_id, substr(external_reference, length(partner_id) + 2),
       substr(external_reference, length(partner_id) + 2)
from (select id, external_reference, body #>> '{created,by,sub}' as partner_id from work_orders
      where external_reference is not null and body #>> '{created,by,role}' = 'partner') as asked
where starts_with(external_reference, partner_id || '/') on conflict do nothing;
create table partner_requests (
    request_id text collate "C" primary key,
    partner_id text collate "C" not null,
    event_id text collate "C" not null,
    subject text not null
);
create table partner_messages (
    message_id text collate "C" primary key,
    partner_id text collate "C" not null,
    place bigint generated always as identity,
    recorded_at timestamptz not null,
    order_id text collate "C",
    subject text not null,
    payload text not null,
    headers json not null,
    is_owed boolean not null
);
create index partner_messages_sent on partner_messages (partner_id, recorded_at, place);
create index partner_messages_order on partner_messages (order_id) where order_id is not null;
create index partner_messages_owed on partner_messages (place) where is_owed;
""")


def downgrade() -> None:
    execute("drop table partner_messages, partner_requests, partner_orders;")
