"""Reports as PDF, set by Typst with a Chinese font that comes as a package and is embedded in the file.

The text of a report goes to Typst as data and never as source: typed text is never markup.
"""

import json
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from reporting.reports.document import MOST_LYING, Chart, Document, ReportTable
from reporting.reports.names import breakable, wide
from reporting.reports.values import NumberForm, Shown
from reporting.reports.words import word

_TEMPLATE = Path(__file__).parent / "report.typ"
_MOST_UPRIGHT = 11
"""A table of more columns lies on its side."""
_USUAL_NAME = 32
"""Letters; longer names get a wider column."""


def as_pdf(document: Document) -> bytes:
    return typst.compile(
        _TEMPLATE.read_bytes(),
        font_paths=[str(Path(pylopdf_fonts_zh_cn.sans_path()).parent)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(_data(document), ensure_ascii=False)},
    )


def _data(document: Document) -> dict[str, Any]:
    language = document.language
    names = (
        "summary",
        "what_follows",
        "footnotes",
        "how_made",
        "date",
        "page",
        "colon",
        "provisional",
        "to_be_written",
    )
    return {
        "title": breakable(document.title),
        "language": language,
        "centre": breakable(document.centre),
        "words": {name: word(name, language) for name in names},
        "facts": _pairs(document.facts),
        "summary": [breakable(text) for text in document.summary],
        "is_provisional": document.is_provisional,
        "tables": [_table(table) for table in document.tables],
        "observations": [breakable(text) for text in document.observations],
        "remarks": [[heading, text and breakable(text)] for heading, text in document.remarks],
        "written_by": document.written_by and breakable(document.written_by),
        "footnotes": _pairs(document.footnotes),
        "definitions": _table(document.definitions),
        "how_made": _pairs(document.how_made),
        "signatures": _pairs(document.signatures),
    }


def _pairs(pairs: list[tuple[str, str]]) -> list[list[str]]:
    return [[name, breakable(text)] for name, text in pairs]


def _table(table: ReportTable) -> dict[str, Any]:
    numeric = [
        any(row[place].form is not NumberForm.TEXT for row in table.rows) or _is_short(table, place)
        for place in range(len(table.head))
    ]
    return {
        "title": breakable(table.title),
        "head": [breakable(name) for name in table.head],
        "numeric": numeric,
        "rows": [[_text(value) for value in row] for row in table.rows],
        "chart": table.chart and _bars(table.chart),
        "note": table.note,
        "widths": _widths(table, numeric),
        "is_wide": len(table.head) > _MOST_UPRIGHT,
    }


def _widths(table: ReportTable, numeric: list[bool]) -> list[float]:
    """Of the columns, in shares: names get what they need, as far as the figures leave it."""
    longest = max((wide(row[0].text) for row in table.rows), default=0)
    usual, most = (2.4, 3.4) if len(table.head) <= 9 else (1.7, 2.6)
    return [usual if longest <= _USUAL_NAME else most, *(1.0 if is_numeric else 7.0 for is_numeric in numeric[1:])]


def _is_short(table: ReportTable, place: int) -> bool:
    """A column of dashes and short words is set like figures."""
    return place > 0 and all(len(row[place].text) <= 12 for row in table.rows)


def _text(value: Shown) -> str:
    # A no-break space keeps a value, its unit and its signs on one line.
    text = value.text if value.form is NumberForm.TEXT else value.text.replace(" ", "\u00a0")
    return breakable(f"{text}\u00a0{value.sign}" if value.sign else text)


def _bars(chart: Chart) -> dict[str, Any]:
    is_lying = any(wide(name) > 8 for name, _ in chart.bars)
    bars = chart.bars[:MOST_LYING] if is_lying else chart.bars
    return {
        "title": chart.title if len(bars) == len(chart.bars) else f"{chart.title} · {chart.largest}",
        "names": [breakable(name) for name, _ in bars],
        "heights": [height for _, height in bars],
        "texts": [f"{height:,.0f}" for _, height in bars],
        "is_lying": is_lying,
    }
