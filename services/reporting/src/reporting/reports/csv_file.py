"""The figures of a report as data: one line a figure, in CSV and in the data sheet of a workbook.

Here ids and versions stand beside the names, because programs read it. A text cell that a spreadsheet would take for
a formula gets an apostrophe in CSV.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from contracts.spreadsheets import csv_cell
from reporting.metrics import Metric
from reporting.reports.content import Cell, Content, ReportRequest, SectionRow, dimension_of
from reporting.reports.definitions import metric_name
from reporting.reports.names import Naming
from reporting.reports.plan import ALL_SECTIONS
from reporting.reports.words import unit_word, word

COLUMNS = (
    "section",
    "window",
    "group_id",
    "group",
    "metric_id",
    "version",
    "metric",
    "unit",
    "numerator",
    "denominator",
    "value",
    "p50",
    "p90",
    "unknown",
    "marked",
)


def lines(asked: ReportRequest, contents: Iterable[Content], naming: Naming) -> Iterator[list[Any]]:
    """A line a figure, in the order of `COLUMNS`; None where there is nothing."""
    for content in contents:
        if content.section not in ALL_SECTIONS:
            continue
        for window, rows in (("this", content.rows), ("before", content.before), ("year_before", content.year_before)):
            yield from _lines(asked, content, window, rows, naming)


def _lines(
    asked: ReportRequest, content: Content, window: str, rows: Sequence[SectionRow], naming: Naming
) -> Iterator[list[Any]]:
    language = asked.language
    title = ALL_SECTIONS[content.section].title(asked.grain, language)
    dimension = dimension_of(content)
    for key, cells in rows:
        label = naming.label(dimension, key) if dimension else key or word("", language)
        for column, cell in zip(content.columns, cells, strict=True):
            if cell is not None:
                names = [title, word(window, language), key, label]
                yield [*names, *_metric(column.of, language), *_values(cell)]


def _metric(metric: Metric, language: str) -> list[Any]:
    return [metric.id, metric.version, metric_name(metric, language), unit_word(metric.unit, language)]


def _values(cell: Cell) -> list[Any]:
    return [cell.numerator, cell.denominator, cell.value, cell.p50, cell.p90, cell.unknown, cell.marked]


def as_csv(asked: ReportRequest, contents: Iterable[Content], naming: Naming) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes Chinese for something else."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([word(name, asked.language) for name in COLUMNS])
    for line in lines(asked, contents, naming):
        writer.writerow([csv_cell(value) if isinstance(value, str) else value for value in line])
    return b"\xef\xbb\xbf" + text.getvalue().encode()
