"""A copy of the directory: work areas, staff, agents, device types, demand types.

`body` is the entity as it was last defined; `work_area_id` is where a member of staff belongs.
"""

from chassis.migrations import execute

revision = "directory_0001"
down_revision = None
branch_labels = ("directory",)
depends_on = None


def upgrade() -> None:
    execute("""
create table directory (
    kind text not null,
    id text collate "C" not null,
    entity_version integer not null,
    work_area_id text,
    body json not null,
    primary key (kind, id)
);
create index directory_staff on directory (work_area_id, id) where kind = 'staff';
""")


def downgrade() -> None:
    execute("drop table directory;")
