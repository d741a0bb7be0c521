"""Whose words: finds recordings and follow-ups by their subscriber, so that an erasure finds them.

Expands: indexes, and the subscriber in follow-ups of orders that were planned before they were noted there.
"""

from chassis.migrations import execute

revision = "qa_0004"
down_revision = "qa_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
update follow_ups set body = jsonb_set(
    follow_ups.body::jsonb, '{subscriber_id}', to_jsonb(work_orders.body->>'subscriber_id'))::json
from work_orders where work_orders.id = follow_ups.order_ids[1] and follow_ups.body->>'subscriber_id' is null;
create index recordings_subscriber on recordings ((body->>'subscriber_id'));
create index evaluations_recording on evaluations (recording_id);
create index follow_ups_subscriber_id on follow_ups ((body->>'subscriber_id'));
create index findings_follow_up on findings (follow_up_id);
""")


def downgrade() -> None:
    execute("""
drop index findings_follow_up;
drop index follow_ups_subscriber_id;
drop index evaluations_recording;
drop index recordings_subscriber;
""")
