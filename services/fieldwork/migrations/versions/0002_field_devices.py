"""How far each phone has come with what it sends in batches. Expands."""

from chassis.migrations import execute

revision = "fieldwork_0002"
down_revision = "fieldwork_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table field_devices (
    caller text not null,
    device_id text not null,
    next_sequence bigint not null,
    seen_at timestamptz not null,
    primary key (caller, device_id)
);
""")


def downgrade() -> None:
    execute("drop table field_devices;")
