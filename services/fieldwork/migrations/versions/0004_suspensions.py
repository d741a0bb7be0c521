"""When suspensions end: what is due is found without reading orders."""

from chassis.migrations import execute

revision = "fieldwork_0004"
down_revision = "fieldwork_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table suspensions (
    order_id text collate "C" primary key,
    order_version integer not null,
    until timestamptz not null
);
create index suspensions_until on suspensions (until, order_id);
""")


def downgrade() -> None:
    execute("drop table suspensions;")
