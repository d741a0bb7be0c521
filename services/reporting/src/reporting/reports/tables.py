"""Reports as spreadsheets: XLSX for people, CSV for programs and for Excel.

A text cell that a spreadsheet would take for a formula gets an apostrophe in CSV; in XLSX it is written as text.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from contracts.spreadsheets import csv_cell
from reporting.reports.content import Cell, Column, Content, heading, is_share, label
from reporting.reports.plan import UNITS, Language, word

_LONGEST_SHEET_NAME = 31


def as_csv(contents: Iterable[Content], language: str) -> bytes:
    """One line a figure; UTF-8 with a byte order mark, without which Excel takes Chinese for something else."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = ("section", "group", "metric", "version", "unit", "numerator", "denominator", "value", "unknown", "marked")
    writer.writerow([word(name, language) for name in names])
    for content in contents:
        for key, cells in content.rows:
            for column, cell in zip(content.columns, cells, strict=True):
                if cell is not None:
                    writer.writerow(
                        [
                            csv_cell(content.title),
                            csv_cell(label(content, key, language)),
                            csv_cell(column.name),
                            column.version,
                            csv_cell(UNITS[column.unit][language == Language.ZH]),
                            *_values(cell),
                        ]
                    )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _values(cell: Cell) -> list[Any]:
    values = (cell.numerator, cell.denominator, cell.value, cell.unknown, cell.marked)
    return ["" if value is None else value for value in values]


def as_xlsx(contents: Sequence[Content], language: str, facts: Sequence[tuple[str, str]]) -> bytes:
    """A sheet a section, with values, numerators and denominators; the last one says what the report is."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, options)
    styles = {
        "head": book.add_format({"bold": True, "bg_color": "#DDE6F0", "text_wrap": True, "valign": "top"}),
        "share": book.add_format({"num_format": "0.0%"}),
        "seconds": book.add_format({"num_format": "0.0"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "hour": book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"}),
    }
    for content in contents:
        _sheet(book, styles, content, language)
    sheet = book.add_worksheet(word("manifest", language))
    sheet.set_column(0, 1, 40)
    for row, (name, value) in enumerate(facts):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
    book.close()
    return file.getvalue()


def _sheet(book: Any, styles: dict[str, Any], content: Content, language: str) -> None:
    sheet = book.add_worksheet(content.title[:_LONGEST_SHEET_NAME])
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 26)
    sheet.write_string(0, 0, word(content.by, language), styles["head"])
    first, firsts = 1, {}
    for place, column in enumerate(content.columns):
        firsts[column.metric] = first
        first += _columns(sheet, styles, content, place, first, language)
    sheet.set_column(1, first, 13)
    moments = _moments(content)
    for row, (key, _) in enumerate(content.rows, start=1):
        if moment := moments.get(key):
            sheet.write_datetime(row, 0, moment, styles["hour" if "T" in (key or "") else "date"])
        else:
            sheet.write_string(row, 0, label(content, key, language))
    if not content.rows:
        sheet.write_string(1, 0, word("nothing", language))
    _chart(book, sheet, content, firsts)


def _columns(sheet: Any, styles: Mapping[str, Any], content: Content, place: int, first: int, language: str) -> int:
    """Writes the columns of one metric from a first one on, and says how many: its value, what it is made of, and
    what is not known or odd where something is."""
    column = content.columns[place]
    cells = [(row, cells[place]) for row, (_, cells) in enumerate(content.rows, start=1)]
    signs = [name for name in ("unknown", "marked") if any(cell and getattr(cell, name) for _, cell in cells)]
    parts = ["value", "numerator", "denominator", *signs]
    for offset, name in enumerate(parts):
        title = heading(column, language)
        title = title if name == "value" else f"{title}: {word(name, language)}"
        sheet.write_string(0, first + offset, title, styles["head"])
        for row, cell in cells:
            value = getattr(cell, name) if cell else None
            if value is not None:
                sheet.write_number(row, first + offset, value, _style(styles, column) if offset == 0 else None)
    return len(parts)


def _style(styles: Mapping[str, Any], column: Column) -> Any:
    return styles["share"] if is_share(column) else styles["seconds"] if column.unit == "seconds" else None


def _moments(content: Content) -> dict[str | None, datetime]:
    """By key of a row the date or hour that it is of, on the wall: none of them where a clock change has one twice."""
    if content.by != "period":
        return {}
    moments = {key: datetime.fromisoformat(key).replace(tzinfo=None) for key, _ in content.rows if key}
    return moments if len(set(moments.values())) == len(moments) else {}


def _chart(book: Any, sheet: Any, content: Content, firsts: Mapping[str, int]) -> None:
    place = next((place for place, one in enumerate(content.columns) if one.metric == content.chart), None)
    if place is None or not content.rows:
        return
    column, last = firsts[content.columns[place].metric], len(content.rows)
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": content.columns[place].name,
            "categories": [sheet.name, 1, 0, last, 0],
            "values": [sheet.name, 1, column, last, column],
        }
    )
    chart.set_legend({"none": True})
    sheet.insert_chart(last + 2, 0, chart)
