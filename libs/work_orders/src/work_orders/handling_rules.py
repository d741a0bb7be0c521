"""The copy of the rules of handling orders that every service keeps: each version that it has seen.

Decisions are made under the newest one. The topic is compacted, so a copy that began late lacks some older ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from chassis.database import Statements, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.handling import SHIPPED, HandlingRulesDefined
from contracts.message import Message
from work_orders.tables import HANDLING_RULES

_RULES = msgspec.json.Decoder(HandlingRulesDefined)
_ADD = f"""insert into handling_rules ({columns_of(HANDLING_RULES.c)})
    select * from {unnest_of(HANDLING_RULES.c)} on conflict (version) do nothing"""
_NEWEST = "select version, body, changed_by, changed_at from handling_rules order by version desc limit 1"


NEWEST_RULES = "select body from handling_rules order by version desc limit 1"
"""For a query that reads more: `rules_of` takes what it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingRules:
    """The rules at one version, and who has defined it when; nobody has defined what was shipped."""

    version: int = 0
    rules: HandlingRulesDefined = SHIPPED
    changed_by: str | None = None
    changed_at: datetime | None = None


def handling_rules_of(messages: Sequence[Message]) -> list[Part]:
    """Takes a batch of the directory into the copy; a version that is there stays."""
    rows = [
        (message.entity_version, message.data.decode(), message.actor.sub, message.recorded_at)
        for message in messages
        if isinstance(message.body, HandlingRulesDefined)
    ]
    return [Part(_ADD, [list(column) for column in zip(*rows, strict=True)])] if rows else []


@lru_cache(8)
def rules_of(body: str | None) -> HandlingRulesDefined:
    """The rules of a stored body; None is what was shipped."""
    return SHIPPED if body is None else _RULES.decode(body)


async def handling_rules(statements: Statements) -> HandlingRules:
    """The newest that are known here."""
    row = await statements.fetchrow(_NEWEST)
    return _of(row) if row else HandlingRules()


async def handling_rules_at(statements: Statements, version: int) -> HandlingRules | None:
    """Those of a version, if this service has seen it; version 0 is what was shipped."""
    if version == 0:
        return HandlingRules()
    row = await statements.fetchrow(
        "select version, body, changed_by, changed_at from handling_rules where version = $1", version
    )
    return _of(row) if row else None


def _of(row: Any) -> HandlingRules:
    return HandlingRules(
        version=row["version"],
        rules=_RULES.decode(row["body"]),
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
