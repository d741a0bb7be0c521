"""What the toy service counts."""

from chassis.migrations import execute

revision = "toy_0001"
down_revision = None
branch_labels = ("toy",)
depends_on = None


def upgrade() -> None:
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
