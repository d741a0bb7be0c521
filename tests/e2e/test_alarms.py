"""A limit that comes near and passes is told of, step by step, and shown with the order."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.installation import Installation, Json

from chassis.testing import eventually


@pytest.fixture
async def rules_stay(installation: Installation) -> AsyncIterator[None]:
    """The installation's limits and ladder are as before when the test has ended."""
    limits = (await installation.operator.get("dispatch", "/rules/time-limits"))["rules"]
    ladder = (await installation.supervisor.get("dispatch", "/escalation-rules"))["rules"]
    yield
    before = {name: limits[name] for name in ("limits", "calendar", "longest_extension_minutes")}
    await installation.operator.put("dispatch", "/rules/time-limits", before)
    await installation.supervisor.put("dispatch", "/escalation-rules", ladder)


async def test_an_order_shows_its_clocks_warns_and_breaches_and_the_alarm_is_acknowledged(
    installation: Installation, rules_stay: None
) -> None:
    """An hour to arrive, of an order that happened 40 minutes ago; limits of 30 minutes follow."""
    ago = datetime.now(UTC) - timedelta(minutes=40)
    limits = (await installation.operator.get("dispatch", "/rules/time-limits"))["rules"]
    ladder = {"steps": [{"minutes": -30, "tell": ["staff"]}, {"minutes": 0, "tell": ["dispatcher"]}]}
    await installation.supervisor.put("dispatch", "/escalation-rules", ladder)

    async def allow(minutes: int) -> None:
        given = [{"clock": "arrive", "minutes": minutes}]
        rules = {"calendar": limits["calendar"], "longest_extension_minutes": limits["longest_extension_minutes"]}
        rules |= {"limits": given, "applies_from": ago.isoformat()}
        await installation.operator.put("dispatch", "/rules/time-limits", rules)

    await allow(60)
    order = await installation.dispatched(await installation.create(occurred_at=ago.isoformat()))

    async def alarms() -> list[Json]:
        return (await installation.dispatcher.get("dispatch", f"/work-orders/{order['id']}/form"))["alarms"]

    (warned,) = await eventually(alarms, until=lambda found: len(found) == 1, seconds=30)
    assert (warned["kind"], warned["clock"], warned["state"]) == ("warned", "arrive", "open")

    await allow(30)
    breached, _ = await eventually(alarms, until=lambda found: len(found) == 2, seconds=30)
    assert (breached["kind"], breached["cause"], breached["tell"]) == ("breached", "limits_changed", ["dispatcher"])

    async def clocks(service: str) -> list[Json]:
        looked_up = await installation.supervisor.get(service, f"/work-orders/{order['id']}")
        return [one for one in looked_up["clocks"] if one["limit_seconds"] == 1800]

    for service in ("intake", "dispatch", "fieldwork"):
        (clock,) = await eventually(lambda service=service: clocks(service), until=bool, seconds=30)
        assert (clock["clock"], clock["phase"], clock["left_seconds"] < 0) == ("arrive", "running", True)

    seen = await installation.dispatcher.post("dispatch", f"/alarms/{breached['alarm_id']}/acknowledge", {})
    assert seen["state"] == "acknowledged"
    open_alarms = await installation.dispatcher.get("dispatch", "/alarms", state="open", limit=200)
    assert breached["alarm_id"] not in [one["alarm_id"] for one in open_alarms["items"]]
