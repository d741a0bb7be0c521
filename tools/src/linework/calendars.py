"""`linework calendar`: the calendar of working days that every service counts in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework.stopped import Stopped

if TYPE_CHECKING:
    from linework.calendar_years import CalendarYear
    from linework.client import Dispatch, ServiceClients

commands = typer.Typer(help="Working days and public holidays.", no_args_is_help=True)
_CHINA = "CN"
_NAMES = {_CHINA: ("Working days in China", "中国工作日")}
_TIME_ZONES = {_CHINA: "Asia/Shanghai"}
_MADE_UP = ("calendar_id", "version", "covered_until")
"""What a calendar is shown with and not defined by."""


@commands.callback()
def _group() -> None:
    """Working days and public holidays."""


@commands.command("import")
def import_year(
    country: Annotated[str, typer.Argument(help="ISO 3166 code, such as CN.")],
    year: Annotated[int, typer.Argument(min=2000, max=2100)],
    file: Annotated[
        Path | None,
        typer.Option("--from", help="CSV file with columns date and kind (statutory, rest, make_up) instead."),
    ] = None,
    calendar: Annotated[str | None, typer.Option("--calendar", help="Id; default: the country in lower case.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Of a new calendar.")] = None,
    time_limits: Annotated[bool, typer.Option("--time-limits", help="Count time limits in this calendar.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the days and change nothing.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Put a year's holidays and make-up days into a calendar; other years stay as they are.

    A year that has not been announced is marked provisional; import it again after the announcement.
    """
    from linework.calendar_years import year_of_country, year_of_file

    country = country.upper()
    found = year_of_file(file, year) if file else year_of_country(country, year)
    typer.echo(_sentence(found))
    if dry_run:
        return
    place = _NewCalendar(calendar or country.lower(), country, time_zone)
    shown = in_installation(
        lambda installation: _import(installation, place, found, time_limits=time_limits), state_folder
    )
    typer.echo(f"Calendar {shown['calendar_id']} is at version {shown['version']}, {_coverage(shown)}.")


class _NewCalendar:
    """Where the year goes, and what a calendar begins with that is not there yet."""

    def __init__(self, calendar_id: str, country: str, time_zone: str | None) -> None:
        self.calendar_id = calendar_id
        self._country = country
        self._time_zone = time_zone

    def definition(self) -> dict[str, Any]:
        from contracts.limits import SHIPPED

        time_zone = self._time_zone or _TIME_ZONES.get(self._country)
        if time_zone is None:
            raise Stopped(f"There is no calendar {self.calendar_id}; name its --time-zone, such as Europe/Paris.")
        en, zh = _NAMES.get(self._country, (f"Working days in {self._country}", f"{self._country} 工作日"))
        hours = [{"begin_minute": part.begin_minute, "end_minute": part.end_minute} for part in SHIPPED.calendar.hours]
        days_off = list(SHIPPED.calendar.days_off)
        return {"name_en": en, "name_zh": zh, "time_zone": time_zone, "days_off": days_off, "hours": hours}


async def _import(
    installation: "ServiceClients", place: _NewCalendar, year: "CalendarYear", *, time_limits: bool
) -> dict[str, Any]:
    dispatch = installation.dispatch
    present = await dispatch.find_calendar(place.calendar_id)
    shown = await dispatch.define_calendar(place.calendar_id, **_merged(present or place.definition(), year))
    if time_limits:
        await _count_limits_in(dispatch, place.calendar_id)
    return shown


def _merged(calendar: dict[str, Any], year: "CalendarYear") -> dict[str, Any]:
    from linework.calendar_years import with_year

    merged = {name: value for name, value in calendar.items() if name not in _MADE_UP}
    for name in ("holidays", "make_up_days", "statutory_days"):
        merged[name] = with_year(calendar.get(name, ()), year.year, getattr(year, name))
    for name, is_member in (("announced_years", not year.is_provisional), ("provisional_years", year.is_provisional)):
        others = {one for one in calendar.get(name, ()) if one != year.year}
        merged[name] = sorted(others | {year.year} if is_member else others)
    return merged


async def _count_limits_in(dispatch: "Dispatch", calendar_id: str) -> None:
    rules = (await dispatch.time_limits())["rules"]
    if rules["calendar_id"] != calendar_id:
        kept = {name: rules[name] for name in ("limits", "longest_extension_minutes")}
        await dispatch.set_time_limits(**kept, calendar_id=calendar_id)


def _sentence(year: "CalendarYear") -> str:
    announced = "not announced: provisional" if year.is_provisional else "announced"
    return (
        f"{year.year}: {len(year.holidays)} days off, of which {len(year.statutory_days)} statutory; "
        f"{len(year.make_up_days)} make-up days; {announced}."
    )


def _coverage(shown: dict[str, Any]) -> str:
    return f"covered until {shown['covered_until']}" if shown["covered_until"] else "with no announced year"
