"""Rows of running replays, and of the messages that are replayed."""

from dataclasses import astuple
from datetime import datetime

from chassis.database import Statements, Transaction, columns_of, parameters_of
from intake.partner_tables import PARTNER_REPLAYS
from intake.partners.message_store import message_of
from intake.partners.replays import KeptMessage, Replay

_COLUMNS = columns_of(PARTNER_REPLAYS.c)


async def begin(tx: Transaction, replay: Replay) -> str | None:
    """Begins a replay; the event of the one that is running, if there is one."""
    await tx.execute(
        f"""insert into partner_replays ({_COLUMNS}) values ({parameters_of(PARTNER_REPLAYS.c)})
            on conflict (partner_id) do nothing""",
        *astuple(replay),
    )
    running: str = await tx.fetchval(
        "select event_id from partner_replays where partner_id = $1 for update", replay.partner_id
    )
    return None if running == replay.event_id else running


async def claim_due(tx: Transaction, now: datetime) -> Replay | None:
    """A replay that goes on by now, of an active partner whose last messages of it have reached Kafka; held until the
    commit."""
    row = await tx.fetchrow(
        f"""select {_COLUMNS} from partner_replays as running where next_at <= $1
              and exists (select from partners where id = partner_id and is_active)
              and not exists (select from outbox where aggregatetype = 'partner.' || partner_id || '.out'
                                and headers ->> 'ce_replayid' = running.event_id)
            order by next_at limit 1 for update skip locked""",
        now,
    )
    return Replay(**row) if row else None


async def is_any_running(statements: Statements) -> bool:
    running: bool = await statements.fetchval("select exists (select from partner_replays)")
    return running


async def next_messages(statements: Statements, replay: Replay, limit: int) -> list[KeptMessage]:
    """What the partner was sent behind the place that the replay has reached, oldest first."""
    rows = await statements.fetch(
        """select place, recorded_at, subject, payload, headers from partner_messages
           where partner_id = $1 and (recorded_at, place) > ($2, $3) and recorded_at < $4
           order by recorded_at, place limit $5""",
        replay.partner_id,
        replay.after_at,
        replay.after_place,
        replay.until,
        limit,
    )
    return [KeptMessage(row["place"], row["recorded_at"], message_of(row)) for row in rows]


async def save(tx: Transaction, replay: Replay) -> None:
    await tx.execute(
        """update partner_replays set after_at = $2, after_place = $3, message_count = $4, next_at = $5
           where partner_id = $1""",
        replay.partner_id,
        replay.after_at,
        replay.after_place,
        replay.message_count,
        replay.next_at,
    )


async def end(tx: Transaction, replay: Replay) -> None:
    await tx.execute("delete from partner_replays where partner_id = $1", replay.partner_id)


async def forget_old(statements: Statements, now: datetime, limit: int) -> int:
    """Deletes some of the messages that are older than their partner's messages are kept; how many."""
    done = await statements.execute(
        """delete from partner_messages where message_id in (
               select old.message_id from partners cross join lateral (
                   select message_id from partner_messages
                   where partner_id = partners.id and not is_owed
                     and recorded_at < $1::timestamptz - replay_days * interval '1 day'
                   order by recorded_at, place limit $2) as old)""",
        now,
        limit,
    )
    return int(done.split()[-1])
