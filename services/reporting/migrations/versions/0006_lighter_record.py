"""What is written for each event of a year of calls, made lighter, and a way to the few legs that last for days.

A stream's messages are found by stream and version, so only those without a version need an index by their id: random
ids in a large index cost a page each. When a leg became known grows with its place in the table, so a block range index
serves; and as no other index has it, a leg that changes stays on its page. Buckets stand apart from the other sums of
a day, because a figure by day does not read them.
"""

from chassis.migrations import execute

revision = "reporting_0006"
down_revision = "reporting_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
truncate day_sums;
alter table day_sums add column buckets bytea;
create unique index messages_without_version on messages (message_id) where order_version is null;
drop index messages_message_id;
""")
    for name in ("a", "b"):
        execute(f"""
create index legs_{name}_long on legs_{name} (answered_at)
    where answered_at is not null and (talk_us is null
        or answered_at < moment or answered_at - moment > interval '1 day'
        or talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0) > 86400000000);
drop index legs_{name}_known_at;
create index legs_{name}_known_at on legs_{name} using brin (known_at) with (pages_per_range = 16, autosummarize = on);
""")


def downgrade() -> None:
    for name in ("a", "b"):
        execute(f"""
drop index legs_{name}_long;
drop index legs_{name}_known_at;
create index legs_{name}_known_at on legs_{name} (known_at);
""")
    execute("""
truncate day_sums;
alter table day_sums drop column buckets;
create unique index messages_message_id on messages (message_id);
drop index messages_without_version;
""")
