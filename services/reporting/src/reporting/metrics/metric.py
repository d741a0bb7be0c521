"""What a metric declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Dimension(StrEnum):
    """What a figure can be grouped by; the value is the column."""

    STATUS = "status"
    WORK_AREA = "work_area_id"
    DEMAND_TYPE = "demand_type"
    DEVICE_TYPE = "device_type"
    CHANNEL = "channel"
    ZONE = "zone"


class Grain(StrEnum):
    """The length of a period. A week begins on Monday, as ISO 8601 has it."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Source(StrEnum):
    """The projection that is counted."""

    ORDERS = "order_facts"
    INTERVALS = "status_intervals"


@dataclass(frozen=True, slots=True)
class Quotient:
    """A mean or a ratio: shown beside the two sums it is made of, because only those add up."""

    name: str
    numerator: str
    denominator: str

    def of(self, measures: Mapping[str, float | int | None]) -> float | None:
        """None of nothing: where the denominator is nought there is no mean."""
        above, below = measures[self.numerator], measures[self.denominator]
        return round(above / below, 6) if below else None


EVERYBODY = ("agent", "technician", "dispatcher", "auditor", "supervisor", "operator")
RUNS_THE_WORK = ("technician", "dispatcher", "auditor", "supervisor", "operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    id: str
    version: int
    unit: str
    name_en: str
    name_zh: str
    formula: str
    source: Source
    dimensions: tuple[Dimension, ...]
    sums: Mapping[str, str]
    """Measures that add up over periods and groups: name and SQL aggregate."""
    moment: str | None = None
    """The time by which a row belongs to a period; None: the metric is of the present moment only."""
    quotient: Quotient | None = None
    percentiles: Mapping[str, float] = field(default_factory=dict)
    """Of the seconds of the intervals; they do not add up, and are computed for each group anew."""
    roles: tuple[str, ...] = RUNS_THE_WORK
