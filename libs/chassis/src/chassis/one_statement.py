"""Several queries, or several changes, sent to the database as one statement and so in one round trip.

Each part has parameters of its own, from `$1` on. What is read together comes from one snapshot. What is written
together is written as a whole or not at all, without a transaction around it: a part says how many rows it changes at
least, and where it finds fewer, because another process was faster, the statement fails and takes everything back.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import asyncpg

from chassis.database import Overtaken, Statements

Rows = Sequence[tuple[Any, ...]]
_PARAMETER = re.compile(r"\$(\d+)(::[a-z ]+\[\])?")


@dataclass(frozen=True, slots=True)
class Part:
    """A query, or a change without `returning`. No two changes of a statement may touch the same row."""

    sql: str
    arguments: Sequence[Any] = ()
    least: int = 0
    """How many rows it changes at least, or everything is taken back."""
    is_publishing: bool = False
    """Whether it adds rows to the outbox."""


async def fetch_together(statements: Statements, queries: Sequence[Part]) -> list[Rows]:
    """The rows of each query, without names."""
    row = await statements.fetchrow(_queries(_texts_of(queries)), *_arguments_of(queries))
    return list(row or ())


async def execute_together(statements: Statements, changes: Sequence[Part]) -> None:
    """Makes the changes in the order given; raises `Overtaken` and makes none where one finds too few rows."""
    if not changes:
        return
    least = [change.least for change in changes]
    try:
        await statements.execute(_changes(_texts_of(changes)), *_arguments_of(changes), least)
    except asyncpg.DivisionByZeroError as error:
        raise Overtaken from error
    statements.is_publishing |= any(change.is_publishing for change in changes)


def _texts_of(parts: Sequence[Part]) -> tuple[tuple[str, int], ...]:
    return tuple((part.sql, len(part.arguments)) for part in parts)


def _arguments_of(parts: Sequence[Part]) -> list[Any]:
    return [argument for part in parts for argument in part.arguments]


@lru_cache(256)
def _queries(texts: tuple[tuple[str, int], ...]) -> str:
    queries, _ = _numbered(texts)
    return "select " + ", ".join(f"array(select read from ({query}) as read)" for query in queries)


@lru_cache(256)
def _changes(texts: tuple[tuple[str, int], ...]) -> str:
    changes, count = _numbered(texts)
    parts = ", ".join(f"part_{place} as ({change} returning 1)" for place, change in enumerate(changes, start=1))
    # Of its branches CASE evaluates one after the other, and so each part is complete before the next one begins.
    # A division by zero is what a statement can fail by without a function of ours in the database.
    found = " ".join(
        f"when (select count(*) from part_{place}) < (${count + 1}::bigint[])[{place}] then 0"
        for place in range(1, len(changes) + 1)
    )
    return f"with {parts} select 1 / case {found} else 1 end"


def _numbered(texts: tuple[tuple[str, int], ...]) -> tuple[list[str], int]:
    """The parts with their parameters numbered through, and how many there are."""
    numbered, count = [], 0
    for sql, own in texts:
        numbered.append(_PARAMETER.sub(partial(_parameter, before=count), sql))
        count += own
    return numbered, count


def _parameter(found: re.Match[str], before: int) -> str:
    number, array = before + int(found[1]), found[2]
    # The planner must not see how long an array is: for a short one it would make a plan of its own each time, which
    # costs more than the statement.
    return f"(select ${number}{array}){array}" if array else f"${number}"
