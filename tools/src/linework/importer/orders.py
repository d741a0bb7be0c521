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
from linework.client import Installation, Refused
from linework.importer.order_body import NEEDED, body_of, wrong_with
from linework.importer.rows import Row, read_rows
from linework.stopped import Stopped

_TAKEN = "external_reference_taken"


class Outcome(StrEnum):
    CREATED = "created"
    WOULD_BE_CREATED = "would be created"
    ALREADY_THERE = "already there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fate:
    """The result of a row."""

    line: int
    reference: str
    outcome: Outcome
    order_no: str = ""
    reason: str = ""


@dataclass(slots=True)
class Orders:
    """One run over a file."""

    installation: Installation
    is_dry: bool
    clients: int
    fates: list[Fate] = field(default_factory=list)
    _types: dict[str, set[str]] = field(default_factory=dict)
    _people: dict[str, bool] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)

    async def play(self, file: Path, advance: Callable[[], None]) -> None:
        """Processes every row, `clients` at a time; `fates` are in the order of the file."""
        for kind in ("device", "demand"):
            self._types[kind] = {
                one["code"] for one in await self.installation.intake.types(kind) if one.get("is_active", True)
            }
        rows = read_rows(file, NEEDED)
        while batch := list(islice(rows, self.clients)):
            self.fates += await asyncio.gather(*(self._fate(row, advance) for row in batch))

    async def _fate(self, row: Row, advance: Callable[[], None]) -> Fate:
        reference = row.reference("external_reference")
        fault = row.fault or self._fault(row)
        try:
            if fault is not None:
                return Fate(row.line, reference, Outcome.REFUSED, reason=fault)
            return await (self._looked_at if self.is_dry else self._created)(row)
        except Refused as refusal:
            if refusal.code == _TAKEN:
                return Fate(row.line, reference, Outcome.ALREADY_THERE, refusal.problem.get("order_no") or "")
            return Fate(row.line, reference, Outcome.REFUSED, reason=refusal.said)
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

    async def _looked_at(self, row: Row) -> Fate:
        reference, number = row.reference("external_reference"), row.reference("subscriber_no")
        if number not in self._people:
            found = await self.installation.intake.read("/v1/subscribers", subscriber_no=number)
            self._people[number] = bool(found["items"])
        if not self._people[number]:
            return Fate(row.line, reference, Outcome.REFUSED, reason=f"There is no subscriber {number}.")
        for kind in ("device", "demand"):
            code = row[f"{kind}_type"]
            if code not in self._types[kind]:
                reason = f"{kind.capitalize()} type {code} is not in the list, or no longer used."
                return Fate(row.line, reference, Outcome.REFUSED, reason=reason)
        present = await self.installation.intake.work_orders(external_reference=reference)
        if present:
            return Fate(row.line, reference, Outcome.ALREADY_THERE, present[0].order_no)
        return Fate(row.line, reference, Outcome.WOULD_BE_CREATED)

    async def _created(self, row: Row) -> Fate:
        order = await self.installation.intake.create_work_order(**body_of(row))
        return Fate(row.line, row.reference("external_reference"), Outcome.CREATED, order.order_no)


def write_report(path: Path, fates: Iterable[Fate]) -> None:
    """Writes the result of each row as CSV for spreadsheets; raises `Stopped`."""
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "external_reference", "outcome", "order_no", "reason"))
            for fate in fates:
                cells = (fate.line, fate.reference, fate.outcome.value, fate.order_no, fate.reason)
                writer.writerow([csv_cell(str(cell)) for cell in cells])
    except OSError as error:
        raise Stopped(f"The report {path} cannot be written: {error.strerror}.") from error
