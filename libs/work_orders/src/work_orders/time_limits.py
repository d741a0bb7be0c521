"""The copy of the time limits that each service with orders keeps: every set that was ever defined.

Old sets stay, because orders that were created under them are judged by them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from chassis.database import Database, Statements, Transaction
from chassis.one_statement import Part, Rows, execute_together, fetch_together
from contracts.limits import SHIPPED, TimeLimitsDefined
from contracts.message import Message
from work_orders.sla_clocks import RuleSet, RuleSets
from work_orders.versioned_rules import VersionedRules

_RULES = msgspec.json.Decoder(TimeLimitsDefined)
_PRESENT = """
select version, changed_at, case when not exists (
    select from unnest($1::integer[], $2::timestamptz[]) as known (version, changed_at)
    where known.version = present.version and known.changed_at = present.changed_at
) then body::text end from time_limits as present order by version"""
_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """A set of time limits, and who has defined it when; both are None for the shipped one."""

    version: int
    rules: TimeLimitsDefined
    changed_by: str | None
    changed_at: datetime | None


_SHIPPED = TimeLimits(version=0, rules=SHIPPED, changed_by=None, changed_at=None)
LIMITS = VersionedRules("time_limits", TimeLimitsDefined, TimeLimits, shipped=_SHIPPED)


async def on_deadlines(messages: Sequence[Message], tx: Transaction) -> None:
    """Takes sets of limits into the copy; one that is there changes nothing."""
    await execute_together(tx, LIMITS.added(messages))


async def rule_sets(statements: Statements) -> RuleSets:
    """Every set that is known here."""
    known = KnownRuleSets()
    return known.taken(await fetch_together(statements, [known.reading]))


class KnownRuleSets:
    """The sets as a process has them in memory: a body is read and decoded once.

    A database that was restored may have other sets under the same versions, so a set is known by its moment too.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, datetime], RuleSet] = {}
        self._sets = RuleSets()
        self._looked_at = float("-inf")

    @property
    def reading(self) -> Part:
        """Reads which sets there are, with the bodies of those that are not known."""
        return Part(_PRESENT, [[version for version, _ in self._known], [moment for _, moment in self._known]])

    def taken(self, read: Sequence[Rows]) -> RuleSets:
        """The sets after the only one of the results."""
        (rows,) = read
        if [row[:2] for row in rows] != [*self._known]:
            self._known = {
                (version, moment): RuleSet(version, _RULES.decode(body)) if body else self._known[version, moment]
                for version, moment, body in rows
            }
            self._sets = RuleSets(tuple(self._known.values()))
        return self._sets

    async def present(self, db: Database) -> RuleSets:
        """The sets as they were at most a second ago. What is computed from older ones, `work_orders.rows_by_limits`
        finds by their version."""
        if time.monotonic() - self._looked_at > _LOOK_AGAIN_SECONDS:
            async with db.statements() as statements:
                self.taken(await fetch_together(statements, [self.reading]))
            self._looked_at = time.monotonic()
        return self._sets
