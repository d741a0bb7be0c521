"""What lists filter by beside the columns that have an index.

Expands: a release before leaves these as they are, and the worker of this release computes them for the rows whose
`faceted_version` is not their version.
"""

from chassis.migrations import execute

revision = "work_orders_0006"
down_revision = "work_orders_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table work_orders add column facets jsonb, add column created_at timestamptz,
    add column faceted_version integer not null default 0;
create index work_orders_without_facets on work_orders (id) where faceted_version <> version;
""")


def downgrade() -> None:
    execute("alter table work_orders drop column facets, drop column created_at, drop column faceted_version;")
