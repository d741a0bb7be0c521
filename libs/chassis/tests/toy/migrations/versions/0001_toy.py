"""The technical tables, and what the toy service counts."""

from chassis.migrations import execute
from chassis.schema import TECHNICAL_TABLES_V1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(TECHNICAL_TABLES_V1)
    execute("""
create table counted (key text primary key, version integer not null);
create table followed (key text primary key, version integer not null);
create table effects (
    place bigint generated always as identity primary key,
    key text not null,
    version integer not null,
    note text not null check (note <> 'the database refuses this')
);
""")
