"""Reports of figures that tests make up: contents as `fill` leaves them, without a database."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.directory import Names
from reporting.figures.rules import FigureRules
from reporting.metrics import REGISTRY, Dimension, MetricKind
from reporting.reports.content import Cell, Content, MetricColumn, ReportRequest, SectionRow
from reporting.reports.edition import Edition
from reporting.reports.periods import ReportKind, axis, period_of, window_of
from reporting.reports.plan import By, ReportSection, sections_of
from reporting.reports.rules import ReportRules, Target
from reporting.reports.words import Language

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = FigureRules(
    threshold_seconds=20, short_seconds=5, near_seconds=1800, late_after_seconds=300, time_zone="Asia/Shanghai"
)
TARGETS = ReportRules(
    centre=Names(en="Northern district service centre", zh="北区客户服务中心"),
    prepared_by="李静",
    targets=(Target(metric="service_level_3", value=0.8), Target(metric="in_time", value=0.95)),
)
KEYS: Mapping[Dimension, list[str]] = {
    Dimension.QUEUE: ["repairs", "报修"],
    Dimension.AGENT: ["a-1", "a-2", "Agent/105"],
    Dimension.WORK_AREA: ["north", "south"],
    Dimension.DEMAND_TYPE: ["bulky_items", "complaint"],
    Dimension.STATUS: ["created", "processing"],
    Dimension.CLOCK: ["arrive", "reply"],
    Dimension.HOLDER: ["dispatch", "area", "staff", "subscriber"],
}
KNOWN = {
    ("work_area_id", "north"): Names(en="North yard", zh="北区工区"),
    ("work_area_id", "south"): Names(en="South yard", zh="南区工区"),
    ("agent_id", "a-1"): Names(en="陈静", zh="陈静"),
    ("agent_id", "a-2"): Names(en="Zoë", zh="Zoë"),
    ("demand_type", "bulky_items"): Names(en="Bulky items", zh="大件垃圾"),
}


def make_asked(
    kind: ReportKind = ReportKind.MONTHLY,
    day: date = date(2026, 6, 1),
    *,
    last: date | None = None,
    language: Language = Language.EN,
    zone: ZoneInfo = SHANGHAI,
) -> ReportRequest:
    window = period_of(kind, day, zone) if last is None else window_of(day, last + timedelta(days=1), zone)
    return ReportRequest(
        kind=kind,
        begin=window[0],
        end=window[1],
        time_zone=zone.key,
        rules=RULES,
        language=language,
        roles=frozenset({"supervisor"}),
        areas=None,
        as_of=datetime(2026, 7, 3, 0, tzinfo=UTC),
    )


def in_language(asked: ReportRequest, language: Language) -> ReportRequest:
    return replace(asked, language=language)


MakeCell = Callable[[str, random.Random], Cell | None]


def likely(metric_id: str, chance: random.Random) -> Cell | None:
    """A cell as it could be; now and then one with something unknown or odd."""
    metric = REGISTRY[metric_id][-1]
    count = chance.randint(30, 2000)
    odd = {"unknown": chance.choice([0, 0, 3]), "marked": chance.choice([0, 0, 1412])}
    if metric.kind is MetricKind.COUNT:
        return Cell(count, count, None, marked=odd["marked"])
    if metric.unit == "seconds":
        mean = chance.choice([9.4, 42.0, 281.0, 9_000.0, 500_000.0])
        return Cell(mean, mean * count, count, **odd, p50=mean * 0.7, p90=mean * 2.2)
    share = chance.randint(600, 990)
    return Cell(share / 1000, share, 1000, unknown=odd["unknown"])


def nothing(metric_id: str, _: random.Random) -> Cell | None:
    """What a section of nothing says of a metric."""
    metric = REGISTRY[metric_id][-1]
    return Cell(0, 0, None) if metric.kind is MetricKind.COUNT else Cell(None, 0, 0)


def make_contents(
    asked: ReportRequest, *, keys: Mapping[Dimension, list[str]] = KEYS, make: MakeCell = likely, gaps: bool = True
) -> list[Content]:
    """Every section of the report, with figures that are the same at each call; days without figures where gaps."""
    chance = random.Random(7)
    return [_content(asked, section, keys, make, chance, gaps) for section in sections_of(asked.kind)]


def _content(
    asked: ReportRequest,
    section: ReportSection,
    keys: Mapping[Dimension, list[str]],
    make: MakeCell,
    chance: random.Random,
    gaps: bool,
) -> Content:
    by = section.group_by.value if section.group_by else "" if section.by is By.WHOLE else section.by.value
    columns = [MetricColumn(metric_id, REGISTRY[metric_id][-1].version) for metric_id in section.metrics]
    content = Content(section.id, by, columns, [], message_count=1)
    content.read_up_to = {"recorded_at": "2026-07-02T23:59:00+00:00"}
    if make is nothing and section.by is not By.WHOLE:
        return content
    names = _keys(asked, section, keys, gaps)
    content.rows = _rows(section, names, make, chance)
    if section.is_compared:
        content.before = _rows(section, names, make, chance)
        content.year_before = _rows(section, names[:1], make, chance)
    if section.by is By.HOUR:
        content.busiest = ("2026-06-12T10:00:00+08:00", 77)
    return content


def _keys(
    asked: ReportRequest, section: ReportSection, keys: Mapping[Dimension, list[str]], gaps: bool
) -> list[str | None]:
    if section.by is By.WHOLE:
        return [None]
    if section.by is By.PERIOD:
        return list(axis(asked.grain, asked.window, asked.zone)[:: 2 if gaps else 1])
    if section.by is By.HOUR:
        return [f"{hour:02}" for hour in range(8, 20)]
    assert section.group_by
    return [*keys[section.group_by], None]


def _rows(section: ReportSection, keys: list[str | None], make: MakeCell, chance: random.Random) -> list[SectionRow]:
    return [(key, [make(metric_id, chance) for metric_id in section.metrics]) for key in keys]


def make_edition(**overrides: object) -> Edition:
    return Edition(**{"rules": TARGETS, **overrides})  # type: ignore[arg-type]
