"""Aggregates the contributions of orders and calls to the rows of a figure, and compares figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

SHARES = {"p50": 500, "p90": 900}
"""In thousandths."""

Kind = Literal["count", "ratio", "mean", "distribution", "interpolated"]
Thresholds = Mapping[str, int]
"""Seconds by the name of a threshold."""


class CountedRow(NamedTuple):
    """What one row adds to a metric: numerator and denominator, at a moment, in its groups."""

    moment: datetime | None
    names: Mapping[str, str | None]
    above: int | None
    below: int | None
    """None: not known; then it counts on neither side."""
    is_marked: bool = False
    """Something of it is odd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One figure, as reporting is asked for it."""

    metric: str
    version: int | None = None
    group_by: tuple[str, ...] = ()
    grain: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    time_zone: str | None = None
    """None: as reporting's rules say."""
    areas: tuple[str, ...] | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        return ("period", *self.group_by) if self.grain else self.group_by

    @property
    def zone(self) -> ZoneInfo:
        assert self.time_zone
        return ZoneInfo(self.time_zone)

    def as_answered(self, answer: Mapping[str, Any]) -> "Asked":
        """With the zone and the thresholds that the answer says it used where none were given."""
        parameters = {**answer["parameters"], **self.parameters}
        return replace(self, time_zone=self.time_zone or answer["time_zone"], parameters=parameters)

    @property
    def query(self) -> dict[str, Any]:
        """As reporting's API takes it."""
        asked = {
            "version": self.version,
            "group_by": list(self.group_by),
            "grain": self.grain,
            "from": self.begin.isoformat() if self.begin else None,
            "to": self.end.isoformat() if self.end else None,
            "time_zone": self.time_zone,
            **self.parameters,
        }
        return {name: value for name, value in asked.items() if value not in (None, [])}

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        return f"{self.metric}{version} by {', '.join(self.keys) or 'nothing'}"


@dataclass(slots=True)
class Counted:
    """One row: two sums, and every single value where percentiles are asked for."""

    above: int = 0
    below: int = 0
    unknown: int = 0
    marked: int = 0
    values: list[int] = field(default_factory=list)


def count(asked: Asked, kind: Kind, entries: Iterable[CountedRow], *, is_of_time: bool = False) -> list[dict[str, Any]]:
    """The rows of a figure, as reporting shows them, in no particular order. `is_of_time`: sums are microseconds."""
    zone = asked.zone
    rows: dict[tuple[Any, ...], Counted] = {} if asked.keys else {(): Counted()}
    for entry in entries:
        if not _is_asked_for(asked, entry):
            continue
        names = tuple(entry.names[name] for name in asked.group_by)
        key = (period_of(entry.moment, asked.grain, zone), *names) if asked.grain and entry.moment else names
        row = rows.setdefault(key, Counted())
        row.marked += entry.is_marked
        if entry.above is None or entry.below is None:
            row.unknown += 1
            continue
        row.above += entry.above
        row.below += entry.below
        if kind in ("distribution", "interpolated"):
            row.values.append(entry.above)
    return [_shown(asked, kind, key, row, is_of_time=is_of_time) for key, row in rows.items()]


def _is_asked_for(asked: Asked, entry: CountedRow) -> bool:
    if asked.areas is not None and entry.names.get("work_area_id") not in asked.areas:
        return False
    if entry.moment is None:
        return True
    return not (asked.begin and entry.moment < asked.begin) and not (asked.end and entry.moment >= asked.end)


def _shown(asked: Asked, kind: Kind, key: tuple[Any, ...], row: Counted, *, is_of_time: bool) -> dict[str, Any]:
    shown: dict[str, Any] = dict(zip(asked.keys, key, strict=True))
    is_timed = is_of_time or kind in ("mean", "distribution", "interpolated")
    below = row.below / 1_000_000 if is_of_time else row.below
    shown["numerator"] = row.above / 1_000_000 if is_timed else row.above
    shown["denominator"] = None if kind == "count" else below
    if kind == "count":
        shown["value"] = row.above
    else:
        shown["value"] = round(shown["numerator"] / below, 6) if below else None
    if row.unknown:
        shown["unknown"] = row.unknown
    if row.marked:
        shown["marked"] = row.marked
    if kind == "distribution":
        shown |= {name: nearest_rank(row.values, share) for name, share in SHARES.items()}
    elif kind == "interpolated":
        shown |= {name: interpolated(sorted(row.values), share) for name, share in SHARES.items()}
    return shown


def nearest_rank(values: Sequence[int], share: int) -> float | None:
    """Seconds in the middle of the bucket of the value at rank ceil(share * count), from microseconds."""
    if not values:
        return None
    rank = max(-(-len(values) * share // 1000), 1)
    return _middle(sorted(values)[rank - 1] // 1000)


def _middle(thousandths: int) -> float:
    """The middle of the bucket of whole milliseconds: 64 buckets for every power of two."""
    width = 1
    while thousandths // width >= 128:
        width *= 2
    lowest = thousandths // width * width
    return (lowest + (width - 1) / 2) / 1000


def interpolated(ordered: Sequence[int], share: int) -> float | None:
    """Seconds, from sorted microseconds, by linear interpolation between the two nearest."""
    if not ordered:
        return None
    below, part = divmod(share * (len(ordered) - 1), 1000)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return round((low + (high - low) * part / 1000) / 1_000_000, 6)


def period_of(moment: datetime, grain: str, zone: ZoneInfo) -> str:
    """The period's first day in the zone; an hour's beginning with its offset."""
    local = moment.astimezone(zone)
    if grain == "hour":
        return local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="seconds")
    day = local.date()
    first = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        "year": date(day.year, 1, 1),
    }[grain]
    return first.isoformat()


def differences(asked: Asked, shown: Iterable[Mapping[str, Any]], counted: Iterable[Mapping[str, Any]]) -> list[str]:
    """The differences between reporting's rows and the counted ones, one sentence each."""
    theirs = {tuple(row[name] for name in asked.keys): row for row in shown}
    ours = {tuple(row[name] for name in asked.keys): row for row in counted}
    told = []
    for key in sorted({*theirs, *ours}, key=repr):
        name = ", ".join(str(part) for part in key)
        one, other = theirs.get(key), ours.get(key)
        if one is None or other is None:
            told.append(f"{asked}: {name}: {'is not shown' if one is None else 'is not in the recount'}")
            continue
        told += [
            f"{asked}: {name}: {measure} is {one.get(measure)}, the recount gives {value}"
            for measure, value in ({"unknown": 0, "marked": 0} | dict(other)).items()
            if measure not in asked.keys and not _is_same(value, one.get(measure, 0))
        ]
    return told


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        # Both are rounded to microseconds, a sum perhaps after a division.
        return abs(one - other) <= max(2e-6, abs(one) * 1e-12)
    return one == other
