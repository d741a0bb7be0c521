"""Of a record that cannot be decoded or is too large an excerpt is parked, with the size and the hash of the whole.

Expands: code that does not know the columns parks whole values. `value_bytes` and `value_sha256` are of the whole of
which `value` is an excerpt; they are null where nothing is known of it. `offset_count` is set where a row stands for a
range of offsets.
"""

from chassis.migrations import execute

revision = "chassis_0004"
down_revision = "chassis_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table parked add column value_bytes bigint;
alter table parked add column value_sha256 text;
alter table parked add column is_excerpt boolean not null default false;
alter table parked add column offset_count bigint;
""")


def downgrade() -> None:
    execute("""
alter table parked drop column value_bytes, drop column value_sha256, drop column is_excerpt,
    drop column offset_count;
""")
