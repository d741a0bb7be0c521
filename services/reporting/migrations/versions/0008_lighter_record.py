"""What is written for each event of a year of calls, made lighter; nothing is read differently.

A stream's messages are found by stream and version, so only those without a version need an index by their id: random ids in a
large index cost a page each. When a leg became known grows with its place in the table, so a block range index serves; and as it
is not part of any other index, a leg that changes stays where it is.
"""

from chassis.migrations import execute

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create unique index messages_without_version on messages (message_id) where order_version is null;
drop index messages_message_id;
""")
    for name in ("a", "b"):
        execute(f"""
drop index legs_{name}_known_at;
create index legs_{name}_known_at on legs_{name} using brin (known_at) with (pages_per_range = 16, autosummarize = on);
""")


def downgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
drop index legs_{name}_known_at;
create index legs_{name}_known_at on legs_{name} (known_at);
""")
    execute("""
create unique index messages_message_id on messages (message_id);
drop index messages_without_version;
""")
