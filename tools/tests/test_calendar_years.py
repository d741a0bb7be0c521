"""The days off of a year, from libraries and from files."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.shipped_calendars import CHINA
from linework import calendar_years
from linework.calendar_years import year_of_country, year_of_file
from linework.calendars import _merged
from linework.stopped import Stopped

MAKE_UP_2026 = {date(2026, month, day) for month, day in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))}


def written(folder: Path, *rows: str) -> Path:
    file = folder / "days.csv"
    file.write_text("\n".join(("date,kind", *rows)) + "\n", encoding="utf-8")
    return file


def test_china_in_2026_is_as_it_was_announced() -> None:
    year = year_of_country("CN", 2026)
    assert year.make_up_days == MAKE_UP_2026
    assert not year.is_provisional
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert sum(calendar_years._is_worked(day, year) for day in days) == 248


def test_china_has_thirteen_statutory_days_and_they_are_days_off() -> None:
    year = year_of_country("CN", 2026)
    assert len(year.statutory_days) == 13
    assert date(2026, 10, 1) in year.statutory_days
    assert date(2026, 10, 7) in year.holidays - year.statutory_days


def test_a_year_that_china_has_not_announced_is_provisional() -> None:
    assert year_of_country("CN", 2027).is_provisional


def test_where_the_libraries_differ_neither_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import chinese_calendar

    monkeypatch.setattr(chinese_calendar, "is_workday", lambda day: day.weekday() < 5)
    with pytest.raises(Stopped, match=r"differ on \d+ days of 2026: 2026-01-01, .*use --from FILE"):
        year_of_country("CN", 2026)


def test_an_unknown_country_is_named() -> None:
    with pytest.raises(Stopped, match="no country XX"):
        year_of_country("XX", 2026)


def test_a_file_is_an_announcement(tmp_path: Path) -> None:
    year = year_of_file(written(tmp_path, "2027-01-01,statutory", "2027-01-02,rest", "2027-01-09,make_up"), 2027)
    assert year.holidays == {date(2027, 1, 1), date(2027, 1, 2)}
    assert year.statutory_days == {date(2027, 1, 1)}
    assert year.make_up_days == {date(2027, 1, 9)}
    assert not year.is_provisional


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("2027-01-01,rest", "2027-01-02,rest", "2027-01-01,make_up"), "2027-01-01 twice, on line 2 and line 4"),
        (("2026-01-01,rest",), "line 2: 2026-01-01 is not in 2027"),
        (("2027-02-30,rest",), "line 2: '2027-02-30' is no date"),
        (("2027-01-01,holiday",), "line 2: 'holiday' is no kind of day; there are statutory, rest, make_up"),
        (("2027-01-01,rest,x",), "line 2: the row has 3 values"),
        ((), "has no days"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(tmp_path: Path, rows: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Stopped, match=sentence):
        year_of_file(written(tmp_path, *rows), 2027)


def test_an_imported_year_takes_the_place_of_its_own_days_only(tmp_path: Path) -> None:
    present = {
        "calendar_id": "cn",
        "version": 3,
        "holidays": ["2026-05-01", "2027-05-01"],
        "announced_years": [2026],
        "provisional_years": [2027],
    }
    merged = _merged(present, year_of_file(written(tmp_path, "2027-01-01,statutory"), 2027))
    assert merged == {
        "holidays": ["2026-05-01", "2027-01-01"],
        "make_up_days": [],
        "statutory_days": ["2027-01-01"],
        "announced_years": [2026, 2027],
        "provisional_years": [],
    }


@pytest.mark.parametrize("year", CHINA.announced_years)
def test_the_shipped_years_of_china_are_those_of_the_libraries(year: int) -> None:
    found = year_of_country("CN", year)
    for name, shipped in (
        ("holidays", CHINA.working_time.holidays),
        ("make_up_days", CHINA.working_time.make_up_days),
        ("statutory_days", CHINA.statutory_days),
    ):
        assert {day for day in shipped if day.year == year} == getattr(found, name), name


def test_no_announced_year_is_missing_from_the_shipped_ones() -> None:
    assert year_of_country("CN", CHINA.announced_years[-1] + 1).is_provisional
