"""What a hundred times as many orders cost: the same acts, with a thousand orders in the databases and with 100,000.

The further orders are copies of rows that are there, made by SQL in every table of every service that has
a row for each order: what an act looks up, locks and writes stands among them.
"""

import statistics
from dataclasses import dataclass

from benchmarks import loads
from benchmarks.installation import MeasuredInstallation
from linework.ports import SERVICES

# What names one order, one message or one command; a copy gets a name of its own.
_NAMES = ("id", "order_id", "order_no", "external_reference", "message_id", "key", "request_id")
_COUNTERS = ("place",)
_FEWEST_ROWS = 900

_COLUMNS = """
select columns.table_name, array_agg(column_name::text order by ordinal_position) as columns
from information_schema.columns join information_schema.tables using (table_schema, table_name)
where table_schema = 'public' and table_type = 'BASE TABLE' and identity_generation is null and is_generated = 'NEVER'
group by columns.table_name"""


@dataclass(frozen=True, slots=True)
class Growth:
    """Milliseconds of each act at p50 for one client that works alone, by the orders in the databases."""

    few: dict[str, float]
    many: dict[str, float]

    @property
    def worst_ratio(self) -> float:
        return max(self.many[act] / self.few[act] for act in self.few)


async def measure(
    installation: MeasuredInstallation, *, orders: int = 1_000, times: int = 100, count: int = 200
) -> Growth:
    """In an installation that is empty at first."""
    await loads.lifecycles(installation, range(orders), clients=16)
    few = await _act_milliseconds(installation, count)
    await multiply(installation, times)
    await _act_milliseconds(installation, count // 10)  # plans and caches for tables of this size
    return Growth(few, await _act_milliseconds(installation, count))


async def _act_milliseconds(installation: MeasuredInstallation, count: int) -> dict[str, float]:
    latencies = (await loads.lifecycles(installation, range(count), clients=1)).latencies
    return {act: statistics.median(seconds) * 1000 for act, seconds in latencies.by_act.items()}


async def multiply(installation: MeasuredInstallation, times: int) -> None:
    """Makes each order `times` orders, in every database."""
    for service in SERVICES:
        for table in await installation.query(service, _COLUMNS):
            (rows,) = await installation.query(service, f"select count(*) as rows from {table['table_name']}")
            if rows["rows"] >= _FEWEST_ROWS:
                await installation.query(service, _copies(table["table_name"], table["columns"], times - 1))
        if service == "reporting":
            # The next message's place follows those of the copies.
            await installation.query(
                service, "update stream_state set message_count = (select max(place) from messages)"
            )
        await installation.query(service, "vacuum analyze")


def _copies(table: str, columns: list[str], copies: int) -> str:
    def value(column: str) -> str:
        if column in _NAMES:
            return f"{column} || '~' || copy"
        if column in _COUNTERS:
            return f"{column} + copy * (select max({column}) from {table})"
        return column

    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(value(column) for column in columns)
    return f"insert into {table} ({names}) select {values} from {table}, generate_series(1, {copies}) as copy"
