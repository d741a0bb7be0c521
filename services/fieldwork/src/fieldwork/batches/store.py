"""How far each phone has come: the sequence number of the act that is expected next."""

from datetime import datetime

from chassis.database import Statements


async def next_sequence(statements: Statements, caller: str, device_id: str) -> int:
    """1 for a phone that is not known."""
    found: int | None = await statements.fetchval(
        "select next_sequence from field_devices where caller = $1 and device_id = $2", caller, device_id
    )
    return found or 1


async def advance(statements: Statements, caller: str, device_id: str, sequence: int, now: datetime) -> None:
    """Expects the act after this one; never an earlier one again."""
    await statements.execute(
        """insert into field_devices (caller, device_id, next_sequence, seen_at) values ($1, $2, $3, $4)
           on conflict (caller, device_id) do update set seen_at = excluded.seen_at,
           next_sequence = greatest(field_devices.next_sequence, excluded.next_sequence)""",
        caller,
        device_id,
        sequence + 1,
        now,
    )
