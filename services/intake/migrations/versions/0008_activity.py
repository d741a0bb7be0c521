"""When something last happened with a subscriber.

Expands: columns that may be null, and a table. `subscriber_no` is null as long as only later events of the follow-up
have come: they have other keys. A retention rule whose `is_active` is null is as shipped: erasing
by age is off.
"""

from chassis.migrations import execute

revision = "intake_0008"
down_revision = "intake_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table follow_up_activity (
    follow_up_id text collate "C" primary key,
    subscriber_no text,
    last_at timestamptz not null
);
create index follow_up_activity_subscriber_no on follow_up_activity (subscriber_no) where subscriber_no is not null;
alter table retention_rules add column is_active boolean;
alter table retention_runs add column subscribers_due integer, add column is_erasing boolean;
""")


def downgrade() -> None:
    execute("""
alter table retention_runs drop column subscribers_due, drop column is_erasing;
alter table retention_rules drop column is_active;
drop table follow_up_activity;
""")
