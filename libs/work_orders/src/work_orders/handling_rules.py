"""The copy of the rules of handling orders that every service keeps; decisions are made under the newest version."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import msgspec

from contracts.handling import SHIPPED, HandlingRulesDefined
from work_orders.versioned_rules import VersionedRules

_RULES = msgspec.json.Decoder(HandlingRulesDefined)

NEWEST_RULES = "select body from handling_rules order by version desc limit 1"
"""For a query that reads more: `rules_of` takes what it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingRules:
    """The rules at one version, and who has defined it when; both are None for the shipped one."""

    version: int = 0
    rules: HandlingRulesDefined = SHIPPED
    changed_by: str | None = None
    changed_at: datetime | None = None


HANDLING = VersionedRules("handling_rules", HandlingRulesDefined, HandlingRules, shipped=HandlingRules())


@lru_cache(8)
def rules_of(body: str | None) -> HandlingRulesDefined:
    """The rules of a stored body; None is what was shipped."""
    return SHIPPED if body is None else _RULES.decode(body)
