"""The rows of a CSV file with their line numbers. An invalid file is rejected as a whole."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.plain_text import plain_reference
from linework.stopped import Stopped

if TYPE_CHECKING:
    from _csv import Reader


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """The line of the file on which the row begins; the header is line 1."""
    values: Mapping[str, str]
    fault: str | None = None
    """Why the row cannot be read, when it cannot."""

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "").strip()

    def reference(self, column: str) -> str:
        """The value in the spelling in which intake stores a reference."""
        return plain_reference(self[column])


def count_rows(file: Path, needed: Sequence[str]) -> int:
    """How many rows there are, so that nothing is begun with a file that cannot be read to its end."""
    return sum(1 for _ in read_rows(file, needed))


def read_rows(file: Path, needed: Sequence[str]) -> Iterator[Row]:
    """Every row, also the ones with too many or too few values; raises `Stopped` with a clear sentence."""
    try:
        # A byte-order mark is not part of the first column's name.
        with file.open(encoding="utf-8-sig", newline="") as opened:
            yield from _rows(csv.reader(opened, strict=True), file, needed)
    except OSError as error:
        raise Stopped(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Stopped(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}.") from error


def _rows(reader: "Reader", file: Path, needed: Sequence[str]) -> Iterator[Row]:
    header = [name.strip() for name in _next(reader, file) or []]
    missing = [name for name in needed if name not in header]
    if missing:
        raise Stopped(f"{file} has no column {', '.join(missing)}; its header is: {', '.join(header) or 'empty'}.")
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise Stopped(f"{file} has more than one column {', '.join(repeated)}.")
    line = reader.line_num + 1
    while (values := _next(reader, file)) is not None:
        if values:  # an empty line is no row
            yield _row(line, header, values)
        line = reader.line_num + 1


def _next(reader: "Reader", file: Path) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise Stopped(f"{file} is not a CSV file: {error}, at line {reader.line_num}.") from error


def _row(line: int, header: Sequence[str], values: Sequence[str]) -> Row:
    fault = None
    if len(values) != len(header):
        fault = f"the row has {len(values)} values and the header {len(header)} columns"
    return Row(line, dict(zip(header, values, strict=False)), fault)
