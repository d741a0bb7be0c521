"""What changed about which order, by the transaction that changed it: what streams of changes are read from.

Expands. A trigger writes it, so that the release before and every other writer of orders write it too. An update
that leaves the version as it is, such as reading on in the stream, costs nothing.
"""

from alembic import op

from chassis.migrations import execute

revision = "work_orders_0003"
down_revision = "work_orders_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table order_changes (
    changed_in bigint not null default pg_current_xact_id()::text::bigint,
    order_id text collate "C" not null,
    version integer not null,
    work_area_id text,
    left_work_area_id text,
    recorded_at timestamptz not null default clock_timestamp()
);
create index order_changes_changed_in on order_changes (changed_in);
""")
    op.execute("""
create function note_order_change() returns trigger language plpgsql as $$
begin
    insert into order_changes (order_id, version, work_area_id, left_work_area_id)
    values (new.id, new.version, new.work_area_id,
        case when old.work_area_id is distinct from new.work_area_id then old.work_area_id end);
    return null;
end $$""")
    execute("""
create trigger order_created after insert on work_orders for each row execute function note_order_change();
create trigger order_changed after update of version on work_orders for each row
    when (old.version is distinct from new.version) execute function note_order_change();
""")


def downgrade() -> None:
    execute("""
drop trigger order_created on work_orders;
drop trigger order_changed on work_orders;
drop function note_order_change();
drop table order_changes;
""")
