"""What a metric declares, and what it is counted from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Dimension(StrEnum):
    """What a figure can be grouped by; the value is the column."""

    STATUS = "status"
    WORK_AREA = "work_area_id"
    STAFF = "staff_id"
    DEMAND_TYPE = "demand_type"
    DEVICE_TYPE = "device_type"
    CHANNEL = "channel"
    ZONE = "zone"
    URGENCY = "urgency"
    CLOCK = "clock"
    HOLDER = "holder"
    REASON = "reason"
    DIRECTION = "direction"
    QUEUE = "queue"
    AGENT = "agent_id"
    TEAM = "team"


class Grain(StrEnum):
    """The length of a period. A week begins on Monday, as ISO 8601 has it."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class MetricKind(StrEnum):
    """How a value comes from the two sums that are kept: only those add up over periods and groups."""

    COUNT = "count"
    """The numerator."""
    RATIO = "ratio"
    """Numerator by denominator."""
    MEAN = "mean"
    """Seconds by count."""
    DISTRIBUTION = "distribution"
    """A mean with percentiles, from a histogram whose buckets add up too."""
    INTERPOLATED = "interpolated"
    """A mean with exact percentiles, which do not add up and are counted for each group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows to count: a projection, by which of its times they belong to a period, and since when they were known."""

    name: str
    table: str
    """Of the set; the set's name is put behind it."""
    subject: str
    """The column with the order or call that a row is about."""
    moment: str | None
    """The time by which a row belongs to a period; None: as things stand at one moment."""
    known: str
    """SQL condition: the row was known at the moment `{upto}`."""
    known_at: str
    """When it became known: `recorded_at` of the message that made the row what it is."""
    late: str
    """Whether that message came late."""
    versions: tuple[str, ...]
    """The columns with the versions of the events behind a row."""
    key: tuple[str, ...]
    """What is unique in it."""
    inputs: tuple[str, ...]
    """The types of the messages that it is made from."""
    is_refolded: bool = False
    """Only the present state is stored; an earlier one is folded again from the record."""
    relation: str | None = None
    """SQL in place of the table, where rows are made of several."""
    is_of_parts: bool = False
    """Its relation takes rows of its table apart, and of no other."""
    columns: Mapping[Dimension, str] = field(default_factory=dict)
    """The columns of dimensions that are not called like them."""
    has_marks: bool = False
    """Its rows have `faults`: what is odd about them, or null."""
    follow_ups: str | None = None
    """SQL: the streams and ids of the follow-ups that a row speaks of, whose messages are behind it too."""

    @property
    def counts_legs(self) -> bool:
        return self.is_refolded or self.is_of_agents

    @property
    def is_of_agents(self) -> bool:
        """Its rows are made of agents' states and of the legs that they handled."""
        return self.relation is not None and not self.is_of_parts and not self.is_refolded

    def column(self, dimension: Dimension) -> str:
        return self.columns.get(dimension, dimension.value)

    sees_later: bool = False
    """A row also counts what was found out about its order at any later time; that touches its day, as `later`."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables whose changes change its rows, by their names in `days_touched`."""
        if self.sees_later:
            return (self.table, "later")
        if self.is_refolded:
            return ("legs",)
        return (self.table, "legs") if self.is_of_agents else (self.table,)


ALL_ROLES = ("agent", "technician", "dispatcher", "auditor", "supervisor", "operator")
RUNS_THE_WORK = ("technician", "dispatcher", "auditor", "supervisor", "operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    id: str
    version: int = 1
    kind: MetricKind
    unit: str
    name_en: str
    name_zh: str
    formula: str
    formula_source: str
    """The source of the formula."""
    source: Source
    dimensions: tuple[Dimension, ...]
    """A caller limited to some work areas is refused a metric that is not divided by work area."""
    where: str = "true"
    """Which rows are counted."""
    numerator: str = "1"
    """What a row adds above the line; microseconds for means and distributions."""
    denominator: str | None = None
    """What it adds below; None for counts, 1 for means.

    A row in which one of the two is null counts in neither; the figure shows it as unknown."""
    roles: tuple[str, ...] = RUNS_THE_WORK
    parameters: tuple[str, ...] = ()
    """Thresholds that the question may set, of the rules of figures."""
    is_of_time: bool = False
    """Of a ratio: both sums are microseconds."""
    reach: tuple[int, int] = (0, 0)
    """How many days before a day, and after it, have a say in that day's sums."""

    @property
    def is_timed(self) -> bool:
        return self.kind in (MetricKind.MEAN, MetricKind.DISTRIBUTION, MetricKind.INTERPOLATED)

    def above(self, total: int) -> float | int:
        """The numerator as it is shown: seconds of a time."""
        return total / 1_000_000 if self.is_timed or self.is_of_time else total

    def below(self, total: int) -> float | int:
        return total / 1_000_000 if self.is_of_time else total

    @property
    def has_periods(self) -> bool:
        return self.source.moment is not None

    def value(self, numerator: float, denominator: float | None) -> float | int | None:
        """None where the denominator is zero: there is no ratio and no mean."""
        if self.kind is MetricKind.COUNT:
            return numerator
        return round(numerator / denominator, 6) if denominator else None
