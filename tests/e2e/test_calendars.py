"""One calendar, imported once, is what dispatch counts time limits in and qa counts follow-ups in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.installation import Installation
from tests.running import Running

from chassis.testing import eventually


@pytest.fixture
async def limits_stay(installation: Installation) -> AsyncIterator[None]:
    """The installation's time limits are as before when the test has ended."""
    rules = (await installation.operator.get("dispatch", "/rules/time-limits"))["rules"]
    yield
    await installation.operator.put("dispatch", "/rules/time-limits", rules | {"calendar_id": None})


async def test_an_imported_year_reaches_the_time_limits_and_qa(
    running: Running, installation: Installation, limits_stay: None
) -> None:
    calendar = f"cn-{installation.mark}"
    printed = running.linework("calendar", "import", "CN", "2026", "--calendar", calendar, "--time-limits")
    assert "of which 13 statutory; 6 make-up days; announced." in printed
    assert "covered until 2026-12-31" in printed
    rules = (await installation.operator.get("dispatch", "/rules/time-limits"))["rules"]
    assert (rules["calendar_id"], "2026-10-10" in rules["calendar"]["make_up_days"]) == (calendar, True)

    async def at_qa() -> httpx.Response:
        return await installation.supervisor.ask("GET", "qa", f"/calendars/{calendar}")

    shown = await eventually(at_qa, until=lambda answer: answer.status_code == 200)
    assert "2026-10-01" in shown.json()["holidays"]
