"""Imports work orders from a CSV file: validates all rows, creates the orders, and reports the result of each row.

The external reference makes the import idempotent: a stopped run resumes, and a second run creates nothing.
"""

import asyncio
import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path

from contracts.spreadsheets import csv_cell
from linework.client import Refused, ServiceClients
from linework.importer.order_body import NEEDED, body_of, wrong_with
from linework.importer.rows import Row, read_rows
from linework.stopped import Stopped

_TAKEN = "external_reference_taken"


class RowOutcome(StrEnum):
    CREATED = "created"
    WOULD_BE_CREATED = "would be created"
    ALREADY_THERE = "already there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of a row."""

    line: int
    reference: str
    outcome: RowOutcome
    order_no: str = ""
    reason: str = ""


@dataclass(slots=True)
class Orders:
    """One run over a file."""

    installation: ServiceClients
    is_dry: bool
    clients: int
    results: list[RowResult] = field(default_factory=list)
    _types: dict[str, set[str]] = field(default_factory=dict)
    _people: dict[str, bool] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)

    async def play(self, file: Path, advance: Callable[[], None]) -> None:
        """Processes every row, `clients` at a time; `results` are in the order of the file."""
        for kind in ("device", "demand"):
            self._types[kind] = {
                one["code"] for one in await self.installation.intake.types(kind) if one.get("is_active", True)
            }
        rows = read_rows(file, NEEDED)
        while batch := list(islice(rows, self.clients)):
            self.results += await asyncio.gather(*(self._result(row, advance) for row in batch))

    async def _result(self, row: Row, advance: Callable[[], None]) -> RowResult:
        reference = row.reference("external_reference")
        fault = row.fault or self._fault(row)
        try:
            if fault is not None:
                return RowResult(row.line, reference, RowOutcome.REFUSED, reason=fault)
            return await (self._looked_at if self.is_dry else self._created)(row)
        except Refused as refusal:
            if refusal.code == _TAKEN:
                return RowResult(row.line, reference, RowOutcome.ALREADY_THERE, refusal.problem.get("order_no") or "")
            return RowResult(row.line, reference, RowOutcome.REFUSED, reason=refusal.said)
        finally:
            advance()

    def _fault(self, row: Row) -> str | None:
        """What is wrong with a row, without a request."""
        missing = [name for name in NEEDED if not row[name]]
        if missing:
            return f"{', '.join(missing)} is empty"
        first = self._lines.setdefault(row.reference("external_reference"), row.line)
        if first != row.line:
            return f"external_reference is already on line {first}"
        return wrong_with(body_of(row))

    async def _looked_at(self, row: Row) -> RowResult:
        reference, number = row.reference("external_reference"), row.reference("subscriber_no")
        if number not in self._people:
            found = await self.installation.intake.read("/v1/subscribers", subscriber_no=number)
            self._people[number] = bool(found["items"])
        if not self._people[number]:
            return RowResult(row.line, reference, RowOutcome.REFUSED, reason=f"There is no subscriber {number}.")
        for kind in ("device", "demand"):
            code = row[f"{kind}_type"]
            if code not in self._types[kind]:
                reason = f"{kind.capitalize()} type {code} is not in the list, or no longer used."
                return RowResult(row.line, reference, RowOutcome.REFUSED, reason=reason)
        present = await self.installation.intake.work_orders(external_reference=reference)
        if present:
            return RowResult(row.line, reference, RowOutcome.ALREADY_THERE, present[0].order_no)
        return RowResult(row.line, reference, RowOutcome.WOULD_BE_CREATED)

    async def _created(self, row: Row) -> RowResult:
        order = await self.installation.intake.create_work_order(**body_of(row))
        return RowResult(row.line, row.reference("external_reference"), RowOutcome.CREATED, order.order_no)


def write_report(path: Path, results: Iterable[RowResult]) -> None:
    """Writes the result of each row as CSV for spreadsheets; raises `Stopped`."""
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "external_reference", "outcome", "order_no", "reason"))
            for result in results:
                cells = (result.line, result.reference, result.outcome.value, result.order_no, result.reason)
                writer.writerow([csv_cell(str(cell)) for cell in cells])
    except OSError as error:
        raise Stopped(f"The report {path} cannot be written: {error.strerror}.") from error
