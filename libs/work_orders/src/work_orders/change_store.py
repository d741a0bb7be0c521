"""The rows of `order_changes`: what changed since a place, and the place then."""

from dataclasses import dataclass
from datetime import timedelta

from asyncpg import Record

from chassis.database import Database, Statements
from work_orders.places import PlaceInChanges, PlaceLost

MOST_CHANGES = 10_000
"""Further behind, reloading a list costs less."""
_DELETED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class RecordedChange:
    changed_in: int
    order_id: str
    version: int
    work_area_id: str | None
    left_work_area_id: str | None
    """The area that this change took it from."""


# One statement, so that the rows are exactly what its snapshot sees.
_NEWEST = """
select pg_current_snapshot()::text as seen, newest.* from (values (1)) as always
left join lateral (
    select changed_in, (extract(epoch from recorded_at) * 1000000)::bigint as recorded_us from order_changes
    order by changed_in desc, recorded_at desc limit 1
) as newest on true"""
# Two queries, each by the index: transactions that came after the place, and those that were running then.
_COLUMNS = """changed_in, order_id, version, work_area_id, left_work_area_id,
    (extract(epoch from recorded_at) * 1000000)::bigint as recorded_us"""
_SINCE = f"""
select pg_current_snapshot()::text as seen,
    $1::bigint = 0 or exists (
        select from order_changes where changed_in = $1::bigint
        and recorded_at = to_timestamp(0) + $2::bigint * interval '1 microsecond'
        and ($5::interval is null or recorded_at > now() - $5::interval)
    ) as is_known,
    change.*
from (values (1)) as always
left join lateral (
    (select {_COLUMNS} from order_changes where changed_in > $1::bigint order by changed_in limit $4)
    union all (select {_COLUMNS} from order_changes where changed_in = any($3::bigint[]) limit $4)
) as change on true"""
# The oldest stand first in the index. Transactions are about as old as their numbers.
_FORGET = """
delete from order_changes where changed_in in (select changed_in from order_changes order by changed_in limit $1)
and recorded_at < now() - $2::interval"""


async def newest_place(db: Database) -> PlaceInChanges:
    """The place after everything that has been committed."""
    async with db.statements() as statements:
        row = await statements.fetchrow(_NEWEST)
    assert row is not None  # a snapshot is there always
    return PlaceInChanges(row["changed_in"] or 0, row["recorded_us"] or 0).then(row["seen"])


async def changes_since(
    db: Database, place: PlaceInChanges, *, kept: timedelta | None = None
) -> tuple[list[RecordedChange], PlaceInChanges]:
    """What was committed since, by transaction, and the place then.

    Raises `PlaceLost` where the newest change that it knows is not there, or no younger than `kept`, or where more
    than `MOST_CHANGES` came since.
    """
    async with db.statements() as statements:
        rows = await statements.fetch(
            _SINCE, place.newest, place.recorded_us, sorted(place.missing), MOST_CHANGES + 1, kept
        )
    if not rows[0]["is_known"] or len(rows) > MOST_CHANGES:
        raise PlaceLost()
    found = sorted((row for row in rows if row["order_id"] is not None), key=_when)
    if not found:
        return [], place
    # A transaction that was running may have an older number than the newest that is known.
    newest = max(_when(found[-1]), (place.newest, place.recorded_us))
    return [_change_of(row) for row in found], PlaceInChanges(*newest).then(rows[0]["seen"])


def _when(row: Record) -> tuple[int, int]:
    return row["changed_in"], row["recorded_us"]


def _change_of(row: Record) -> RecordedChange:
    return RecordedChange(
        row["changed_in"], row["order_id"], row["version"], row["work_area_id"], row["left_work_area_id"]
    )


async def forget_old_changes(statements: Statements, kept: timedelta) -> int:
    """Deletes a few of what is older; says how many."""
    tag = await statements.execute(_FORGET, _DELETED_AT_ONCE, kept)
    return int(tag.rsplit(" ", 1)[1])
