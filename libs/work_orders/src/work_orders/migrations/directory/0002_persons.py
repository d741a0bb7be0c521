"""Staff by the subject of their token."""

from chassis.migrations import execute

revision = "directory_0002"
down_revision = "directory_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("create index directory_person on directory ((body ->> 'person_id')) where kind = 'staff';")


def downgrade() -> None:
    execute("drop index directory_person;")
