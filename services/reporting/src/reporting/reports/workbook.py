"""Reports as XLSX: one sheet that is read and printed, one with the data. Texts are written as text, never run."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import xlsxwriter

from reporting.reports.content import Content, ReportRequest
from reporting.reports.csv_file import COLUMNS, lines
from reporting.reports.document import Document, ReportTable
from reporting.reports.names import wide
from reporting.reports.values import NumberForm, Shown
from reporting.reports.words import word

_A4 = 9
_FIRST_WIDTH, _WIDTH = 24, 9.7
_FEWEST_COLUMNS = 10
_MOST_UPRIGHT = 12
MOST_DATA_ROWS = 60_000
"""Of the data sheet, which is put together in memory; what is more is in the CSV."""
_MOST_LINES = 20
"""Of one row of text."""
_LINES_A_HEAD = 40
"""In a long table the head comes again after so many lines: a sheet can repeat one row only, and that is its title."""
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_FONT = {"font_name": "Noto Sans SC", "font_size": 9, "valign": "vcenter"}
_LINES = {"border": 1, "border_color": "#AAAAAA"}
_NUMBERS = {
    NumberForm.COUNT: "#,##0",
    NumberForm.SHARE: "0.0%",
    NumberForm.TIME: "[h]:mm:ss",
    NumberForm.RATIO: "#,##0.00",
    NumberForm.CHANGE: "+0.0%;-0.0%;0.0%",
    NumberForm.POINTS: '+0.0" pp";-0.0" pp";0.0" pp"',
}


def as_xlsx(document: Document, asked: ReportRequest, contents: Iterable[Content]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, _OPTIONS)
    _ReadableSheet(book, document).write()
    _write_data(book, document, lines(asked, contents, document.naming))
    book.close()
    return file.getvalue()


class _Styles:
    """Formats of the book, each made once: Excel has room for 64,000 of them only."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[Any, ...], Any] = {}

    def of(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**_FONT, **properties})
        return self._made[key]

    def cell(self, shown: Shown, *, is_first: bool) -> Any:
        if shown.number is None:
            return self.of(**_LINES, text_wrap=True, align="left" if is_first else "right")
        # The sign of a footnote belongs to the format, so that the figure stays a number.
        sign = f' "{shown.sign}"' if shown.sign else ""
        number = ";".join(f"{part}{sign}" for part in _NUMBERS[shown.form].split(";"))
        return self.of(**_LINES, num_format=number, align="right")


class _ReadableSheet:
    def __init__(self, book: Any, document: Document) -> None:
        self._book = book
        self._document = document
        self._styles = _Styles(book)
        self._colon = word("colon", document.language)
        self._sheet = book.add_worksheet(word("report", document.language))
        tables = (*document.tables, document.definitions)
        self._column_count = max(_FEWEST_COLUMNS, *(len(table.head) for table in tables))
        self._row = 0

    def write(self) -> None:
        self._lay_out()
        self._head()
        document, language = self._document, self._document.language
        self._texts(word("summary", language), document.summary)
        if document.is_provisional:
            self._text(word("provisional", language), bg_color="#FFF4D6")
        if document.observations:
            self._texts(word("what_follows", language), [f"• {text}" for text in document.observations])
        for heading, text in document.remarks:
            self._texts(heading, [text or word("to_be_written", language)])
        if document.written_by:
            self._text(document.written_by, align="right")
        self._signatures()
        for table in document.tables:
            self._table(table)
        if document.footnotes:
            self._texts(word("footnotes", language), [f"{sign} {text}" for sign, text in document.footnotes])
        self._definitions()
        self._texts(word("how_made", language), [f"{name}{self._colon}{value}" for name, value in document.how_made])
        self._sheet.print_area(0, 0, self._row, self._column_count - 1)

    def _lay_out(self) -> None:
        sheet = self._sheet
        sheet.set_paper(_A4)
        sheet.set_landscape() if self._column_count > _MOST_UPRIGHT else sheet.set_portrait()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.45, right=0.45, top=0.6, bottom=0.65)
        sheet.center_horizontally()
        sheet.repeat_rows(0, 1)
        sheet.set_footer("&C" + word("page", self._document.language).format(place="&P", count="&N"))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, _FIRST_WIDTH)
        sheet.set_column(1, self._column_count - 1, _WIDTH)
        sheet.freeze_panes(2, 0)

    def _head(self) -> None:
        document = self._document
        self._text(document.centre, align="center", font_size=10, font_color="#5A5A5A")
        self._text(document.title, align="center", font_size=15, bold=True)
        facts = "    ".join(f"{name}{self._colon}{value}" for name, value in document.facts)
        self._text(facts, align="center", font_color="#5A5A5A")

    def _text(self, text: str, **properties: Any) -> None:
        """A text over the whole width, in rows as high as they need: merged cells do not grow by themselves."""
        style = self._styles.of(text_wrap=True, **properties)
        size = properties.get("font_size", _FONT["font_size"])
        width = (_FIRST_WIDTH + _WIDTH * (self._column_count - 1)) * 9 / size
        for piece in _pieces(text, int(width) * _MOST_LINES // 2):
            self._sheet.merge_range(self._row, 0, self._row, self._column_count - 1, "", style)
            self._sheet.write_string(self._row, 0, piece, style)
            self._sheet.set_row(self._row, size * 1.55 * _line_count(piece, width))
            self._row += 1

    def _heading(self, text: str) -> None:
        self._row += 1
        self._text(text, font_size=11, bold=True)

    def _texts(self, heading: str, texts: Iterable[str]) -> None:
        self._heading(heading)
        for text in texts:
            self._text(text)

    def _signatures(self) -> None:
        self._row += 1
        third = self._column_count // 3
        style, date = self._styles.of(bottom=1), self._styles.of(font_color="#5A5A5A")
        self._sheet.set_row(self._row, 34)
        for place, (name, person) in enumerate(self._document.signatures):
            # Of three equal parts, each with a column between it and the next.
            first = place * third
            last = first + third - (2 if place < 2 and third > 2 else 1)
            self._sheet.merge_range(self._row, first, self._row, last, "", style)
            self._sheet.write_string(self._row, first, f"{name}{self._colon}{person}", style)
            self._sheet.write_string(self._row + 1, first, word("date", self._document.language) + self._colon, date)
        self._row += 2

    def _table(self, table: ReportTable) -> None:
        self._heading(table.title)
        lines = _LINES_A_HEAD
        for row in table.rows:
            if lines >= _LINES_A_HEAD:
                self._table_head(table.head)
                lines = 0
            lines += self._table_row(row)
        if table.note:
            self._text(table.note)

    def _table_head(self, names: Iterable[str]) -> None:
        style = self._styles.of(**_LINES, bold=True, bg_color="#DDE6F0", text_wrap=True)
        lines = 1
        for place, name in enumerate(names):
            self._sheet.write_string(self._row, place, name, style)
            lines = max(lines, _line_count(name, _FIRST_WIDTH if place == 0 else _WIDTH, bold=True))
        self._sheet.set_row(self._row, 14 * lines)
        self._row += 1

    def _table_row(self, row: Iterable[Shown]) -> int:
        """How many lines it takes."""
        lines = 1
        for place, shown in enumerate(row):
            style = self._styles.cell(shown, is_first=place == 0)
            if shown.number is None:
                self._sheet.write_string(self._row, place, f"{shown.text} {shown.sign}".rstrip(), style)
                lines = max(lines, _line_count(shown.text, _FIRST_WIDTH if place == 0 else _WIDTH))
            else:
                self._sheet.write_number(self._row, place, _cell_number(shown), style)
        self._sheet.set_row(self._row, 14 * lines)
        self._row += 1
        return lines

    def _definitions(self) -> None:
        """The last column is a sentence and takes all the width that is left."""
        table = self._document.definitions
        self._heading(table.title)
        head = self._styles.of(**_LINES, bold=True, bg_color="#DDE6F0")
        for row in (None, *table.rows):
            texts = table.head if row is None else [shown.text for shown in row]
            style = head if row is None else self._styles.of(**_LINES, text_wrap=True)
            self._sheet.write_string(self._row, 0, texts[0], style)
            self._sheet.write_string(self._row, 1, texts[1], style)
            self._sheet.merge_range(self._row, 2, self._row, self._column_count - 1, "", style)
            self._sheet.write_string(self._row, 2, texts[2], style)
            width = _WIDTH * (self._column_count - 2)
            lines = max(_line_count(texts[0], _FIRST_WIDTH), _line_count(texts[2], width))
            self._sheet.set_row(self._row, 14 * lines)
            self._row += 1


def _cell_number(shown: Shown) -> float:
    assert shown.number is not None
    if shown.form is NumberForm.TIME:
        return shown.number / 86400
    return shown.number * 100 if shown.form is NumberForm.POINTS else shown.number


def _pieces(text: str, length: int) -> Iterator[str]:
    """What a supervisor has written, paragraph by paragraph, a long one in pieces: a row is 409 points high at most."""
    for paragraph in text.split("\n"):
        for start in range(0, max(len(paragraph), 1), length):
            yield paragraph[start : start + length]


def _line_count(text: str, width: float, *, bold: bool = False) -> int:
    """How many lines a text takes in a column of so many letters; a Chinese character is as wide as two."""
    letters = max(1.0, width - 1) * (1.0 if bold else 1.12)
    return sum(max(1, -(-wide(line) // int(letters))) for line in text.split("\n"))


def _write_data(book: Any, document: Document, rows: Iterable[list[Any]]) -> None:
    sheet = book.add_worksheet(word("data", document.language))
    head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "text_wrap": True, "valign": "top"})
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(COLUMNS):
        sheet.write_string(0, place, word(name, document.language), head)
    last, left = 0, 0
    for number, row in enumerate(rows, start=1):
        if number > MOST_DATA_ROWS:
            left += 1
            continue
        last = number
        for place, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(last, place, value)
            elif value is not None:
                sheet.write_number(last, place, value)
    if left:
        sheet.write_string(last + 2, 0, word("more_lines", document.language).format(count=left))
    sheet.autofilter(0, 0, max(last, 1), len(COLUMNS) - 1)
    sheet.set_column(0, 6, 20)
    sheet.set_column(2, 3, 27)
    sheet.set_column(7, len(COLUMNS) - 1, 11)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
