"""The fence: while a restored database is behind the offsets committed to Kafka, its outbox takes no rows.

A database is behind while a position is before its `restored_until`. `restore_fence` on `outbox` then refuses every
insert, except in a transaction that has set `linework.settles_restore`. In normal operation it is disabled and costs
nothing. What must stay true is that it is enabled whenever a position is behind:

- `restore_mark` on `positions` enables it in the transaction that makes a position be behind, whatever code or operator
  writes it. Enabling takes a lock that conflicts with every insert into the outbox: what was inserted before is
  committed first, what comes afterwards meets the fence.
- `lower_restore_fence` disables it under the same lock, after it has looked again. A transaction that finds the fence
  enabled takes a lock that keeps it from being lowered until that transaction has ended.

Expands. While two releases run:

- Code of before keeps the condition in its own statements, and the marks that it sets enable the fence. The fence
  refuses with `lock_not_available`, which that code takes for a database that is busy: commands are refused with 503,
  and consumers try again. Its settling transaction waits in this way until every topic has caught up.
- New code has no condition of its own. It starts once this migration is there.

The triggers change their own table, so the user who runs a service owns its tables, as the one who migrates them does.
"""

from alembic import op

revision = "chassis_0007"
down_revision = "chassis_0006"
branch_labels = None
depends_on = None

_IS_BEHIND = "exists (select from positions where next_offset < restored_until)"
_STATE = "(select tgenabled from pg_trigger where tgrelid = 'outbox'::regclass and tgname = 'restore_fence')"


def upgrade() -> None:
    op.execute(f"""
create function refuse_while_behind() returns trigger language plpgsql as $$
begin
    -- Volatile, and so with a snapshot of its own: an insert that has waited for the fence sees why it was raised.
    if {_IS_BEHIND} and current_setting('linework.settles_restore', true) is distinct from 'on' then
        raise exception 'the database was restored and is reading what it missed'
            using errcode = 'lock_not_available', constraint = 'restore_fence';
    end if;
    return null;
end $$""")
    op.execute(f"""
create function raise_restore_fence() returns trigger language plpgsql as $$
begin
    if {_STATE} <> 'D' then
        -- Conflicts with the lock of lower_restore_fence, and not with other transactions that catch up.
        lock table outbox in row exclusive mode;
    end if;
    if {_STATE} = 'D' then
        alter table outbox enable trigger restore_fence;
    end if;
    return null;
end $$""")
    op.execute(f"""
create function lower_restore_fence() returns void language plpgsql as $$
begin
    if {_STATE} = 'D' or {_IS_BEHIND} then
        return;
    end if;
    perform set_config('lock_timeout', '1s', true);
    lock table outbox in share row exclusive mode;
    if not {_IS_BEHIND} then
        alter table outbox disable trigger restore_fence;
    end if;
end $$""")
    # After the statement and not before it: every position is locked first, then the outbox, as consumers do.
    op.execute("""
create trigger restore_mark after insert or update on positions for each row
    when (new.next_offset < new.restored_until) execute function raise_restore_fence()""")
    op.execute("""
create trigger restore_fence before insert on outbox for each statement execute function refuse_while_behind()""")
    op.execute("select lower_restore_fence()")


def downgrade() -> None:
    op.execute("drop trigger restore_mark on positions")
    op.execute("drop trigger restore_fence on outbox")
    op.execute("drop function lower_restore_fence(), raise_restore_fence(), refuse_while_behind()")
