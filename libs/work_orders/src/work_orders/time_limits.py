"""The copy of the time limits that a service keeps which decides by them: every set that was ever defined.

Old sets stay, because orders that were created under them are judged by them.
"""

from collections.abc import Sequence

import msgspec

from chassis.database import Statements, Transaction
from contracts.limits import TimeLimitsDefined
from contracts.message import Message
from work_orders.sla_clocks import RuleSet, RuleSets

_RULES = msgspec.json.Decoder(TimeLimitsDefined)


async def on_deadlines(messages: Sequence[Message], tx: Transaction) -> None:
    """Takes sets of limits into the copy; one that is there changes nothing."""
    for message in messages:
        if isinstance(message.body, TimeLimitsDefined) and message.entity_version is not None:
            await add(tx, message.entity_version, message)


async def add(tx: Transaction, version: int, message: Message) -> None:
    await tx.execute(
        """insert into time_limits (version, body, changed_by, changed_at) values ($1, $2, $3, $4)
           on conflict (version) do nothing""",
        version,
        message.data.decode(),
        message.actor.sub,
        message.recorded_at,
    )


async def rule_sets(statements: Statements) -> RuleSets:
    """Every set that is known here."""
    rows = await statements.fetch("select version, body from time_limits order by version")
    return RuleSets(tuple(RuleSet(row["version"], _RULES.decode(row["body"])) for row in rows))
