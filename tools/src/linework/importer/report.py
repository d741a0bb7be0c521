"""The result of every row: rows = created + already there + refused."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class RefusedRow:
    line: int
    reference: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    row_count: int
    """Of the whole file."""
    created: int = 0
    already_there: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    fates: Counter[str] = field(default_factory=Counter)
    """Final status of the orders of all rows that were not refused."""
    remarks: dict[str, list[int]] = field(default_factory=dict)
    """Irregular rows that were accepted: the irregularity, and their lines."""
    act_count: int = 0
    """Changes of this run: creations, acts and requests; 0 if everything existed."""
    seconds: float = 0.0

    @property
    def done_count(self) -> int:
        return self.created + self.already_there + len(self.refused)

    @property
    def is_whole(self) -> bool:
        """Whether every row of the file is accounted for."""
        return self.done_count == self.row_count

    def remark(self, line: int, remarks: list[str] | tuple[str, ...]) -> None:
        for text in remarks:
            self.remarks.setdefault(text, []).append(line)


def show(report: ImportReport, console: Console) -> None:
    table = Table("rows", "count", title="Import", title_justify="left")
    table.add_row("created", str(report.created))
    table.add_row("already there", str(report.already_there))
    table.add_row("refused", str(len(report.refused)))
    if not report.is_whole:
        table.add_row("not reached", str(report.row_count - report.done_count))
    table.add_section()
    table.add_row("in the file", str(report.row_count))
    console.print(table)
    left = ", ".join(f"{count} {status}" for status, count in sorted(report.fates.items()))
    rate = report.done_count / report.seconds if report.seconds else 0
    console.print(f"The orders are: {left or 'none'}.", highlight=False)
    console.print(f"{report.act_count} changes in {report.seconds:.1f} s; {rate:.0f} rows a second.", highlight=False)
    for text, lines in sorted(report.remarks.items()):
        console.print(f"{len(lines)} rows {text}: {_lines(lines)}", highlight=False)
    for row in sorted(report.refused, key=lambda row: row.line):
        console.print(f"line {row.line}: {row.reference or '–'} refused: {row.reason}", highlight=False, markup=False)


def _lines(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in sorted(lines)[:8])
    return f"lines {shown}, …" if len(lines) > 8 else f"lines {shown}"
