"""Reports as PDF, set by Typst with a Chinese font that comes as a package and is embedded in the file.

The text of a report goes to Typst as data and never as source: nothing that somebody typed can be markup.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from reporting.reports.content import Cell, Column, Content, heading, is_share, label
from reporting.reports.plan import word

_TEMPLATE = Path(__file__).parent / "report.typ"
_MOST_BARS = 60


def as_pdf(contents: Sequence[Content], language: str, title: str, facts: Sequence[tuple[str, str]]) -> bytes:
    data = {
        "title": title,
        "language": language,
        "page": word("page", language),
        "nothing": word("nothing", language),
        "facts": [list(fact) for fact in facts],
        "sections": [_section(content, language) for content in contents],
    }
    return typst.compile(
        _TEMPLATE.read_bytes(),
        font_paths=[str(Path(pylopdf_fonts_zh_cn.sans_path()).parent)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )


def _section(content: Content, language: str) -> dict[str, Any]:
    return {
        "title": content.title,
        "head": [word(content.by, language), *(heading(column, language) for column in content.columns)],
        "rows": [
            [label(content, key, language), *(_text(*pair) for pair in zip(content.columns, cells, strict=True))]
            for key, cells in content.rows
        ],
        "chart": _bars(content, language),
    }


def _text(column: Column, cell: Cell | None) -> str:
    if cell is None:
        return "–"
    text = "–" if cell.value is None else f"{cell.value:.1%}" if is_share(column) else _number(cell.value)
    signs = [f"{sign}{count}" for sign, count in (("?", cell.unknown), ("!", cell.marked)) if count]
    return f"{text} ({' '.join(signs)})" if signs else text


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _bars(content: Content, language: str) -> dict[str, Any] | None:
    place = next((place for place, one in enumerate(content.columns) if one.metric == content.chart), None)
    if place is None or not content.rows:
        return None
    column = content.columns[place]
    values = [(label(content, key, language), cells[place]) for key, cells in content.rows[:_MOST_BARS]]
    return {
        "title": heading(column, language),
        "bars": [[name, (cell.value or 0) if cell else 0, _text(column, cell)] for name, cell in values],
    }
