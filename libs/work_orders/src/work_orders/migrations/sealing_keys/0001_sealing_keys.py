"""Sealing keys of subscribers, wrapped.

A key without `wrapped` was destroyed. Its row stays and has no other data of the subscriber.
"""

from chassis.migrations import execute

revision = "sealing_keys_0001"
down_revision = None
branch_labels = ("sealing_keys",)
depends_on = None


def upgrade() -> None:
    execute("""
create table sealing_keys (
    subscriber_id text collate "C" primary key,
    entity_version integer not null,
    master_key_id text,
    wrapped text,
    check ((master_key_id is null) = (wrapped is null))
);
""")


def downgrade() -> None:
    execute("drop table sealing_keys;")
