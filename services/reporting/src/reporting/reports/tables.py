"""Reports as spreadsheets: XLSX for people, CSV for programs and for Excel.

A text cell that a spreadsheet would take for a formula gets an apostrophe in CSV; in XLSX it is written as text.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter

from reporting.reports.content import Cell, Content, is_share
from reporting.reports.plan import word

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_SHEET_NAME = 31


def as_csv(contents: Iterable[Content], language: str) -> bytes:
    """One line a figure; UTF-8 with a byte order mark, without which Excel takes Chinese for something else."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = ("section", "group", "metric", "version", "unit", "numerator", "denominator", "value", "unknown")
    writer.writerow([word(name, language) for name in names])
    for content in contents:
        for key, cells in content.rows:
            for column, cell in zip(content.columns, cells, strict=True):
                if cell is not None:
                    writer.writerow(
                        [
                            _harmless(content.title),
                            _harmless(label(content, key, language)),
                            _harmless(column.name),
                            column.version,
                            column.unit,
                            *_values(cell),
                        ]
                    )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def label(content: Content, key: str | None, language: str) -> str:
    if not content.by:
        return word("", language)
    return word("none", language) if key is None else key


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _values(cell: Cell) -> list[Any]:
    return ["" if value is None else value for value in (cell.numerator, cell.denominator, cell.value, cell.unknown)]


def as_xlsx(contents: Sequence[Content], language: str, facts: Sequence[tuple[str, str]]) -> bytes:
    """A sheet a section, with values, numerators and denominators; the last one says what the report is."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, options)
    styles = {
        "head": book.add_format({"bold": True, "bg_color": "#DDE6F0", "text_wrap": True, "valign": "top"}),
        "share": book.add_format({"num_format": "0.0%"}),
        "seconds": book.add_format({"num_format": "0.0"}),
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
    sheet.set_column(1, 3 * len(content.columns), 13)
    sheet.write_string(0, 0, word(content.by, language), styles["head"])
    for place, column in enumerate(content.columns):
        for offset, name in enumerate(("value", "numerator", "denominator")):
            title = column.name if name == "value" else f"{column.name}: {word(name, language)}"
            sheet.write_string(0, 1 + 3 * place + offset, title, styles["head"])
    for row, (key, cells) in enumerate(content.rows, start=1):
        sheet.write_string(row, 0, label(content, key, language))
        for place, (column, cell) in enumerate(zip(content.columns, cells, strict=True)):
            if cell is None:
                continue
            style = styles["share"] if is_share(column) else styles["seconds"] if column.unit == "seconds" else None
            for offset, value in enumerate((cell.value, cell.numerator, cell.denominator)):
                if value is not None:
                    sheet.write_number(row, 1 + 3 * place + offset, value, style if offset == 0 else None)
    _chart(book, sheet, content)


def _chart(book: Any, sheet: Any, content: Content) -> None:
    place = next((place for place, one in enumerate(content.columns) if one.metric == content.chart), None)
    if place is None or not content.rows:
        return
    column, last = 1 + 3 * place, len(content.rows)
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
