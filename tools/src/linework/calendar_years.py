"""The days off and make-up days of a year: from the libraries of public holidays, or from a file.

Of China `chinesecalendar` has what the State Council has announced, and `holidays` says which days are statutory. Where
the two differ, neither is taken. Of other countries `holidays` alone is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from linework.importer.rows import Row, read_rows
from linework.stopped import Stopped

KINDS = ("statutory", "rest", "make_up")
_NOT_STATUTORY = ("Day off", "observed")
_SATURDAY = 5
_MOST_DIFFERENCES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    year: int
    holidays: frozenset[date]
    """Every day off, statutory or not."""
    make_up_days: frozenset[date]
    statutory_days: frozenset[date]
    is_provisional: bool
    """Not announced: known by rule only."""


def year_of_country(country: str, year: int) -> CalendarYear:
    """Raises `Stopped` for a country or a year that is not known, and where the sources differ."""
    import holidays

    try:
        days = holidays.country_holidays(country, years=year, language="en_US" if country == "CN" else None)
    except NotImplementedError as error:
        raise Stopped(f"The holidays library has no country {country}; use an ISO 3166 code such as CN.") from error
    named = {day: name for day, name in days.items() if day.year == year}
    if not named:
        raise Stopped(f"The holidays library has no holidays of {country} in {year}; use --from FILE.")
    make_up_days = frozenset(day for day in getattr(days, "weekend_workdays", ()) if day.year == year)
    is_announced = _is_announced_in_china(year) if country == "CN" else not _has_estimates(named)
    found = CalendarYear(
        year=year,
        holidays=frozenset(named),
        make_up_days=make_up_days,
        statutory_days=frozenset(day for day, name in named.items() if not any(one in name for one in _NOT_STATUTORY)),
        is_provisional=not is_announced,
    )
    if country == "CN" and is_announced:
        _compare_with_announcement(found)
    return found


def _has_estimates(named: Mapping[date, str]) -> bool:
    return any("estimated" in name for name in named.values())


def _is_announced_in_china(year: int) -> bool:
    import chinese_calendar

    try:
        chinese_calendar.is_workday(date(year, 12, 31))
    except NotImplementedError:
        return False
    return True


def _compare_with_announcement(found: CalendarYear) -> None:
    import chinese_calendar

    days = [date(found.year, 1, 1) + timedelta(days=number) for number in range(366)]
    different = [
        day.isoformat()
        for day in days
        if day.year == found.year and chinese_calendar.is_workday(day) != _is_worked(day, found)
    ]
    if different:
        raise Stopped(
            f"The libraries holidays and chinesecalendar differ on {len(different)} days of {found.year}: "
            f"{', '.join(different[:_MOST_DIFFERENCES])}; use --from FILE with the announcement."
        )


def _is_worked(day: date, year: CalendarYear) -> bool:
    return day in year.make_up_days or (day.weekday() < _SATURDAY and day not in year.holidays)


def year_of_file(file: Path, year: int) -> CalendarYear:
    """From a CSV file with the columns `date` (2026-10-01) and `kind`, one of `KINDS`.

    A file is an announcement. Raises `Stopped` and names the line: a day twice, of another year, or of no kind.
    """
    kinds: dict[date, str] = {}
    lines: dict[date, int] = {}
    for row in read_rows(file, ["date", "kind"]):
        day = _day_of(row, file, year)
        if day in kinds:
            raise Stopped(f"{file} has {day} twice, on line {lines[day]} and line {row.line}.")
        kinds[day], lines[day] = row["kind"], row.line
    if not kinds:
        raise Stopped(f"{file} has no days.")
    return CalendarYear(
        year=year,
        holidays=_of_kind(kinds, "statutory", "rest"),
        make_up_days=_of_kind(kinds, "make_up"),
        statutory_days=_of_kind(kinds, "statutory"),
        is_provisional=False,
    )


def _day_of(row: Row, file: Path, year: int) -> date:
    if row.fault:
        raise Stopped(f"{file}, line {row.line}: {row.fault}.")
    try:
        day = date.fromisoformat(row["date"])
    except ValueError as error:
        raise Stopped(f"{file}, line {row.line}: {row['date']!r} is no date; write it like 2026-10-01.") from error
    if day.year != year:
        raise Stopped(f"{file}, line {row.line}: {day} is not in {year}.")
    if row["kind"] not in KINDS:
        raise Stopped(f"{file}, line {row.line}: {row['kind']!r} is no kind of day; there are {', '.join(KINDS)}.")
    return day


def _of_kind(kinds: Mapping[date, str], *wanted: str) -> frozenset[date]:
    return frozenset(day for day, kind in kinds.items() if kind in wanted)


def with_year(days: Iterable[str], year: int, new: Iterable[date]) -> list[str]:
    """The days of a calendar, with those of one year exchanged."""
    others = [day for day in days if date.fromisoformat(day).year != year]
    return sorted([*others, *(day.isoformat() for day in new)])
