"""A section filled with figures: one row a period or group, one cell a metric. Nothing in it is of a language.

What is filled is kept, so that the report in another language or format, and a revision with what a supervisor has
written, are of the same figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chassis.database import Database
from contracts.refusals import Forbidden
from reporting import figures
from reporting.figures import Question
from reporting.figures.question import MetricNotForRole
from reporting.figures.rules import FigureRules
from reporting.metrics import REGISTRY, Dimension, Grain, Metric, MetricKind
from reporting.reports.periods import (
    LONGEST_BY_HOUR,
    ReportKind,
    ReportWindow,
    days_of,
    grain_of,
    window_before,
    window_year_before,
)
from reporting.reports.plan import By, ReportSection
from reporting.reports.words import Language

GroupKey = str | None


@dataclass(slots=True)
class Cell:
    value: float | int | None
    numerator: float | int
    denominator: float | int | None
    unknown: int = 0
    """How many could not be counted, because something of them is not known."""
    marked: int = 0
    """At how many of what was counted something is odd."""
    p50: float | None = None
    p90: float | None = None


@dataclass(slots=True)
class MetricColumn:
    metric: str
    version: int

    @property
    def of(self) -> Metric:
        return REGISTRY[self.metric][self.version - 1]


SectionRow = tuple[GroupKey, list[Cell | None]]


@dataclass(slots=True)
class Content:
    section: str
    by: str
    """`period`, `hour`, the dimension, or nothing."""
    columns: list[MetricColumn]
    rows: list[SectionRow]
    before: list[SectionRow] = field(default_factory=list)
    """Of the period before."""
    year_before: list[SectionRow] = field(default_factory=list)
    busiest: tuple[str, int] | None = None
    """By hour: the one hour with the most of the first metric, and how many."""
    left_out: list[str] = field(default_factory=list)
    """Metrics that are not for every reader, or not to be shown within their work areas."""
    message_count: int = 0
    read_up_to: dict[str, Any] | None = None
    """How far the streams had been read when the section was filled; that of its first figure."""
    is_complete: bool = True
    """Whether that was beyond the end of the period, for every figure that has one."""

    def place_of(self, metric_id: str) -> int | None:
        return next((place for place, column in enumerate(self.columns) if column.metric == metric_id), None)

    def cell(self, metric_id: str, rows: list[SectionRow] | None = None, key: GroupKey = None) -> Cell | None:
        """The cell of a metric in the row of a key; None where there is none."""
        place = self.place_of(metric_id)
        if place is None:
            return None
        return next((cells[place] for name, cells in (self.rows if rows is None else rows) if name == key), None)


@dataclass(frozen=True, slots=True)
class ReportRequest:
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
    is_for_every_role: bool = False
    """A filed report holds what each of the roles may see; one's own what any of them may."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def window(self) -> ReportWindow:
        return self.begin, self.end

    @property
    def grain(self) -> Grain:
        return grain_of(self.kind, self.window, self.zone)


async def fill(db: Database, asked: ReportRequest, section: ReportSection) -> Content:
    by = section.group_by.value if section.group_by else "" if section.by is By.WHOLE else section.by.value
    content = Content(section.id, by, [], [])
    metrics = list(_allowed(asked, section, content))
    content.rows = await _rows(db, asked, section, metrics, asked.window, content)
    if section.is_compared:
        content.before = await _compared(db, asked, section, metrics, window_before)
        content.year_before = await _compared(db, asked, section, metrics, window_year_before)
    return content


def _allowed(asked: ReportRequest, section: ReportSection, content: Content) -> Iterable[Metric]:
    """The metrics that all readers of the report may see; none by hour where there would be too many rows."""
    first, after = days_of(asked.window, asked.zone)
    is_too_long = section.by is By.HOUR and (after - first).days > LONGEST_BY_HOUR
    for metric_id in () if is_too_long else section.metrics:
        try:
            metric = figures.metric_of(metric_id, None, roles=asked.roles)
            if asked.is_for_every_role and not asked.roles.issubset(metric.roles):
                raise MetricNotForRole(metric=metric_id, needed=list(metric.roles))
            figures.check(_question(asked, section, metric, asked.window))
        except Forbidden:
            content.left_out.append(metric_id)
            continue
        content.columns.append(MetricColumn(metric.id, metric.version))
        yield metric


async def _compared(
    db: Database, asked: ReportRequest, section: ReportSection, metrics: list[Metric], window_of: Any
) -> list[SectionRow]:
    window = window_of(asked.kind, asked.window, asked.zone)
    timed = [metric for metric in metrics if metric.has_periods]
    return await _rows(db, asked, section, timed, window, Content(section.id, "", [], []))


async def _rows(
    db: Database,
    asked: ReportRequest,
    section: ReportSection,
    metrics: list[Metric],
    window: ReportWindow,
    content: Content,
) -> list[SectionRow]:
    """The rows of a window in the order of their keys; notes in the content how far the streams were read."""
    found: dict[GroupKey, dict[str, Cell]] = {}
    zeros = {metric.id: Cell(0, 0, None) for metric in metrics if metric.kind is MetricKind.COUNT}
    for metric in metrics:
        figure = await figures.figure(db, _question(asked, section, metric, window))
        _note(content, figure, metric)
        rows = figure["rows"]
        if section.by is By.HOUR:
            rows = _by_hour(rows, metric, content)
        key_name = content_key(section)
        for row in rows:
            found.setdefault(row[key_name] if key_name else None, {})[metric.id] = _cell(row)
    keys = sorted(found, key=lambda key: (key is None, key or ""))
    # In a group with other figures, a count without a row is zero; a ratio without a row has no value.
    return [(key, [(zeros | found[key]).get(metric.id) for metric in metrics]) for key in keys]


def content_key(section: ReportSection) -> str:
    """What a figure calls the key of the section's rows."""
    if section.by is By.WHOLE:
        return ""
    return section.group_by.value if section.group_by else "period"


def _note(content: Content, figure: dict[str, Any], metric: Metric) -> None:
    read_up_to = figure["read_up_to"]
    content.message_count = sum(count for name, count in read_up_to.items() if name.endswith("message_count"))
    content.read_up_to = content.read_up_to or read_up_to
    content.is_complete &= figure["is_complete"] or not metric.has_periods


def _by_hour(rows: list[dict[str, Any]], metric: Metric, content: Content) -> list[dict[str, Any]]:
    """Single hours added up to the 24 of the day."""
    hours: dict[str, dict[str, Any]] = {}
    for row in rows:
        hour = row["period"][11:13]
        into = hours.setdefault(hour, {"period": hour, "numerator": 0, "denominator": None, "unknown": 0, "marked": 0})
        into["numerator"] += row["numerator"]
        if row["denominator"] is not None:
            into["denominator"] = (into["denominator"] or 0) + row["denominator"]
        for name in ("unknown", "marked"):
            into[name] += row.get(name, 0)
    for into in hours.values():
        into["value"] = metric.value(into["numerator"], into["denominator"])
    if rows and content.busiest is None and metric.kind is MetricKind.COUNT:
        most = max(rows, key=lambda row: (row["numerator"], row["period"]))
        content.busiest = (most["period"], most["numerator"])
    return list(hours.values())


def _cell(row: dict[str, Any]) -> Cell:
    return Cell(
        row["value"],
        row["numerator"],
        row["denominator"],
        row.get("unknown", 0),
        row.get("marked", 0),
        row.get("p50"),
        row.get("p90"),
    )


def _question(asked: ReportRequest, section: ReportSection, metric: Metric, window: ReportWindow) -> Question:
    question = Question(
        metric=metric,
        at=asked.as_of,
        rules=asked.rules,
        as_of=asked.as_of,
        group_by=(section.group_by,) if section.group_by else (),
        time_zone=asked.time_zone,
        areas=asked.areas,
    )
    if not metric.has_periods:
        return question
    grain = {By.PERIOD: asked.grain, By.HOUR: Grain.HOUR}.get(section.by)
    return replace(question, begin=window[0], end=window[1], grain=grain)


def dimension_of(content: Content) -> Dimension | None:
    return Dimension(content.by) if content.by in list(Dimension) else None
