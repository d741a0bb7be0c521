"""A section filled with figures: one row a period or group, one cell a metric."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.database import Database
from contracts.events import Clock
from contracts.lifecycle import STATUS_NAMES, Status
from contracts.refusals import Forbidden
from reporting import figures
from reporting.figures import Question
from reporting.figures.rules import FigureRules
from reporting.metrics import Dimension, Kind, Metric
from reporting.reports.plan import CLOCK_NAMES, GRAINS, Language, ReportKind, Section, word


@dataclass(slots=True)
class Cell:
    value: float | int | None
    numerator: float | int
    denominator: float | int | None
    unknown: int = 0
    """How many could not be counted, because something of them is not known."""
    marked: int = 0
    """At how many of what was counted something is odd."""


@dataclass(slots=True)
class Column:
    metric: str
    version: int
    name: str
    unit: str


@dataclass(slots=True)
class Content:
    section: str
    title: str
    by: str
    """`period`, the dimension, or nothing."""
    columns: list[Column]
    rows: list[tuple[str | None, list[Cell | None]]]
    chart: str | None = None
    left_out: list[str] = field(default_factory=list)
    """Metrics that are not for who asked, or not to be told by their work areas."""
    message_count: int = 0
    read_up_to: dict[str, Any] | None = None
    """How far the streams had been read when the section was filled; that of its first figure."""
    is_complete: bool = True
    """Whether that was beyond the end of the period, for every figure that has one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report is of; `as_of` is when it was asked for, so that all sections are of one moment."""

    kind: ReportKind
    begin: datetime
    end: datetime
    time_zone: str
    rules: FigureRules
    """Those of when it was asked for."""
    language: Language
    roles: frozenset[str]
    areas: tuple[str, ...] | None
    as_of: datetime


async def fill(db: Database, asked: Asked, section: Section) -> Content:
    is_chinese = asked.language is Language.ZH
    by = section.group_by.value if section.group_by else "period" if section.is_by_period else ""
    content = Content(section.id, section.names[is_chinese], by, [], [], section.chart)
    found: dict[str | None, dict[str, Cell]] = {}
    noughts: dict[str, Cell] = {}
    for metric_id in section.metrics:
        try:
            metric = figures.metric_of(metric_id, None, roles=asked.roles)
            figure = await figures.figure(db, _question(asked, section, metric))
        except Forbidden:
            content.left_out.append(metric_id)
            continue
        name = metric.name_zh if is_chinese else metric.name_en
        content.columns.append(Column(metric.id, metric.version, name, metric.unit))
        content.message_count = sum(
            count for name, count in figure["read_up_to"].items() if name.endswith("message_count")
        )
        content.read_up_to = content.read_up_to or figure["read_up_to"]
        content.is_complete &= figure["is_complete"] or not metric.has_periods
        if metric.kind is Kind.COUNT:
            noughts[metric_id] = Cell(0, 0, None)
        for row in figure["rows"]:
            found.setdefault(row[by] if by else None, {})[metric_id] = _cell(row)
    keys = sorted(found, key=lambda key: (key is None, key or ""))
    # Of a group that has other figures a count that has no row is nought; a ratio is of nothing, and is none.
    content.rows = [(key, [(noughts | found[key]).get(one.metric) for one in content.columns]) for key in keys]
    return content


def _cell(row: dict[str, Any]) -> Cell:
    return Cell(row["value"], row["numerator"], row["denominator"], row.get("unknown", 0), row.get("marked", 0))


def _question(asked: Asked, section: Section, metric: Metric) -> Question:
    is_timed = metric.has_periods
    return Question(
        metric=metric,
        at=asked.as_of,
        rules=asked.rules,
        as_of=asked.as_of,
        begin=asked.begin if is_timed else None,
        end=asked.end if is_timed else None,
        grain=GRAINS[asked.kind] if section.is_by_period else None,
        group_by=(section.group_by,) if section.group_by else (),
        time_zone=asked.time_zone,
        areas=asked.areas,
    )


def is_share(column: Column) -> bool:
    return column.unit == "share"


def heading(column: Column, language: str) -> str:
    """The name of a column; of a time with its unit."""
    if column.unit != "seconds":
        return column.name
    return f"{column.name}（秒）" if language == Language.ZH else f"{column.name} (s)"


def label(content: Content, key: str | None, language: str) -> str:
    """How a row is called: a period as it is, a status or a clock by its name, anything else as operators call it."""
    is_chinese = language == Language.ZH
    if not content.by:
        return word("", language)
    if key is None:
        return word("none", language)
    if content.by == Dimension.STATUS:
        return STATUS_NAMES[Status(key)][is_chinese]
    return CLOCK_NAMES[Clock(key)][is_chinese] if content.by == Dimension.CLOCK else key
