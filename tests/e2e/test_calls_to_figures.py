"""From a partner's call through everything that follows of it to the figures, and from these down to the events."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from services.intake.tests.component.queue_log_count import count
from tests.e2e.follow_ups import NAMES, opened_project
from tests.installation import Installation, Json, Person
from tests.running import Running

from chassis.testing import eventually
from contracts import partners as p
from contracts.codec import new_partner_message
from linework.bridge.delivery import delivery_to

REAL_LOG = Path(__file__).parents[3] / "shared" / "data" / "asterisk-queue_log"
FORM = {
    "names": NAMES,
    "sections": [
        {
            "section": "call",
            "names": NAMES,
            "weight": 100,
            "items": [
                {"item": "prompt", "names": NAMES, "weight": 20, "fact": "answered_within", "fact_seconds": 20},
                {"item": "order", "names": NAMES, "weight": 20, "fact": "order_created"},
                {"item": "solved", "names": NAMES, "weight": 60, "kind": "points", "highest": 4},
            ],
        }
    ],
}


@dataclass
class Switch:
    """A partner's telephone switch, which writes to its topic and to nothing else."""

    installation: Installation

    @property
    def name(self) -> str:
        return f"pbx-{self.installation.mark}"

    @property
    def queue(self) -> str:
        return f"support-{self.installation.mark}"

    async def calls(self, call: str, said: Sequence[tuple[Any, datetime]]) -> None:
        """Sends the events of a call, the last first and each of them twice: a switch guarantees no order."""
        messages = [
            new_partner_message(
                body, partner_id=self.name, event_id=f"{call}-{number}", subject=call, occurred_at=moment
            )
            for number, (body, moment) in enumerate(said)
        ]
        addresses = self.installation.addresses
        async with delivery_to(addresses.bootstrap_servers, self.name, prefix=addresses.topic_prefix) as delivery:
            await delivery.send([*reversed(messages), *messages])


@pytest.fixture
async def switch(installation: Installation) -> Switch:
    if installation.addresses.bootstrap_servers is None:
        pytest.skip("the broker of an installation elsewhere is not known: KAFKA_BOOTSTRAP_SERVERS")
    made = Switch(installation)
    names = {"name_en": made.name, "name_zh": made.name}
    await installation.operator.put("intake", f"/partners/{made.name}", names)
    agent = {"name": "张坐席", "team": "day", "names": [{"partner_id": made.name, "name": "Agent/101"}]}
    await installation.operator.put("intake", f"/agents/agent-{installation.mark}", agent)
    return made


async def answered_call(switch: Switch, at: datetime) -> Json:
    """A call of the subscriber, answered after 4 s and talked for 30 s, with its recording; as intake has it."""
    agent, queue = "Agent/101", switch.queue
    said = [
        (p.PartnerCallOffered(caller=switch.installation.phone.removeprefix("+86"), line="96123"), at),
        (p.PartnerCallQueued(queue=queue), at),
        (p.PartnerCallAnswered(queue=queue, agent=agent), at + timedelta(seconds=4)),
        (p.PartnerCallEnded(agent=agent), at + timedelta(seconds=34)),
        (p.PartnerRecordingAvailable(recording_id=f"rec-{switch.installation.mark}", length_milliseconds=30_000), at),
    ]
    await switch.calls("answered", said)
    installation = switch.installation
    return await eventually(
        lambda: _first(installation.agent, "intake", "/calls", queue=queue, state="ended"), until=bool, seconds=30
    )


async def abandoned_call(switch: Switch, at: datetime) -> None:
    said = [
        (p.PartnerCallOffered(caller="13900002222"), at),
        (p.PartnerCallQueued(queue=switch.queue), at),
        (p.PartnerCallAbandoned(queue=switch.queue), at + timedelta(seconds=40)),
    ]
    await switch.calls("abandoned", said)


async def _first(person: Person, service: str, path: str, **query: Any) -> Json | None:
    items = (await person.get(service, path, **query))["items"]
    return items[0] if items else None


async def settled_by_an_order(installation: Installation, call: Json) -> Json:
    """What the agent does while the caller talks: sees who it is, writes the record, makes the order."""
    popped = await installation.agent.get("intake", f"/calls/{call['id']}/screen-pop")
    assert installation.subscriber_no in [one["subscriber_no"] for one in popped["subscribers"]]
    path = f"/calls/{call['id']}"
    await installation.agent.post(
        "intake", f"{path}/classify", {"subscriber_no": installation.subscriber_no, "demand_type": "test"}
    )
    await installation.agent.put("intake", f"{path}/record", {"content": "没有信号", "answered_by": "96123"})
    order = {
        "subscriber_no": installation.subscriber_no,
        "device_type": "digital",
        "demand_type": "test",
        "content": "没有信号",
    }
    settled = await installation.agent.post("intake", f"{path}/settlements", {"outcome": "work_order", "order": order})
    shown = await installation.agent.get("intake", path)
    assert shown["record"]["content"] == "没有信号"
    assert [one["order_id"] for one in shown["settlements"]] == [settled["order_id"]]
    return await installation.agent.get("intake", f"/work-orders/{settled['order_id']}", at_least=1)


async def evaluated(installation: Installation, call: Json, plan: Json) -> Json:
    """The recording is drawn, given to the auditor, scored with what the call's events say filled in."""
    path = f"/sampling-plans/{plan['id']}"
    drawn = await eventually(
        lambda: installation.supervisor.ask("POST", "qa", f"{path}/draw", headers={"if-match": '"1"'}),
        until=lambda answer: answer.is_success,
        seconds=30,
    )
    assert drawn.json()["drawn"]["sample_count"] == 1, drawn.text
    me = f"auditor-{installation.mark}"
    await installation.supervisor.put("qa", f"/auditors/{me}", {"daily_capacity": 45})
    await installation.supervisor.post("qa", f"/evaluation-forms/form-{installation.mark}/versions", FORM)
    given = {"form_id": f"form-{installation.mark}", "day_on": f"{datetime.now(UTC):%Y-%m-%d}"}
    assert (await installation.supervisor.post("qa", f"{path}/assignments", given))["assigned_count"] == 1
    one = (await installation.auditor.get("qa", "/evaluations", plan_id=plan["id"], auditor_id=me))["items"][0]
    assert one["recording_id"] == f"rec-{installation.mark}"
    submitted = await installation.auditor.post(
        "qa",
        f"/evaluations/{one['id']}/submit",
        {"answers": [{"item": "solved", "points": 3}]},
        **{"if-match": f'"{one["version"]}"'},
    )
    assert submitted["call_id"] == call["id"]
    return submitted["revisions"][-1]["scores"]


async def followed_up(installation: Installation, project: str, order: Json) -> Json:
    """The subscriber is called after the work, by whom intake shows them to, and gives four points of five."""
    me = await installation.person("agent", sub=f"caller-{installation.mark}")
    await eventually(
        lambda: _first(installation.supervisor, "qa", "/follow-ups", order_id=order["id"]), until=bool, seconds=30
    )
    taken = await me.post("qa", f"/follow-up-projects/{project}/take", {})
    assert taken["order_ids"] == [order["id"]]
    contact = await me.get("qa", f"/follow-ups/{taken['id']}/contact")
    assert contact["phones"] == [installation.phone]
    return await me.post(
        "qa",
        f"/follow-ups/{taken['id']}/complete",
        {"subscriber_no": installation.subscriber_no, "replies": [{"question": "content", "scale": 4}]},
        **{"if-match": f'"{taken["version"]}"'},
    )


class Figures:
    """Reporting, asked about one story: its window, and one queue or one work area in it."""

    def __init__(self, installation: Installation, begin: datetime) -> None:
        self.installation = installation
        self.window = {"from": begin.isoformat(), "to": (begin + timedelta(days=2)).isoformat()}

    async def of(self, metric: str, only: str, **more: Any) -> tuple[Any, Any, Any]:
        """Numerator, denominator and value."""
        path = f"/figures/{metric}"
        figure = await self.installation.supervisor.get("reporting", path, **self.window, only=only, **more)
        (row,) = figure["rows"]
        return row["numerator"], row["denominator"], row["value"]

    async def behind(self, metric: str, only: str) -> list[Json]:
        path = f"/figures/{metric}/events"
        return (await self.installation.supervisor.get("reporting", path, **self.window, only=only))["items"]


async def test_a_call_becomes_an_order_is_evaluated_and_followed_up_and_counts_in_every_figure(
    running: Running, installation: Installation, switch: Switch
) -> None:
    begin = datetime.now(UTC) - timedelta(minutes=10)
    project = await opened_project(installation, "north")
    call = await answered_call(switch, begin)
    await abandoned_call(switch, begin + timedelta(minutes=1))
    order = await settled_by_an_order(installation, call)
    plan = await committed_plan(installation, switch)
    order = await installation.act(order, "dispatch", "start", "complete", "submit-for-audit", "audit", "archive")
    # Answered within 20 s and an order made: 20 + 20; three points of four of 60: 45.
    scores = await evaluated(installation, call, plan)
    assert (scores["raw_hundredths"], scores["final_hundredths"]) == (8500, 8500)
    assert (await followed_up(installation, project, order))["end"] == "completed"
    await the_figures_say_so(Figures(installation, begin), switch, call, order)
    await asyncio.to_thread(recounted, running)


async def committed_plan(installation: Installation, switch: Switch) -> Json:
    """Fixed before its period ends, which is soon: of the calls of this queue, two for each agent."""
    await eventually(
        lambda: _first(installation.auditor, "qa", "/recordings", queue=switch.queue), until=bool, seconds=30
    )
    now = datetime.now(UTC)
    body = {
        "name": "今日抽检",
        "period_start": (now - timedelta(hours=1)).isoformat(),
        "period_end": (now + timedelta(seconds=3)).isoformat(),
        "strata": [{"stratum": "all", "quota_per_agent": 2, "where": {"queues": [switch.queue]}}],
    }
    return await installation.supervisor.post("qa", "/sampling-plans", body)


async def the_figures_say_so(figures: Figures, switch: Switch, call: Json, order: Json) -> None:
    queue, area = f"queue:{switch.queue}", f"work_area_id:{figures.installation.area('north')}"
    await eventually(lambda: figures.of("calls_offered", queue), until=lambda found: found[0] == 2, seconds=30)
    assert await figures.of("connect_rate", queue) == (1, 2, 0.5)
    assert await figures.of("service_level_3", queue) == (1, 2, 0.5)
    assert await figures.of("abandonment_rate", queue) == (1, 2, 0.5)
    assert await figures.of("speed_of_answer", queue) == (4.0, 1, 4.0)
    assert await figures.of("talk_time", queue) == (30.0, 1, 30.0)
    await eventually(lambda: figures.of("work_orders_completed", area), until=lambda found: found[0] == 1, seconds=30)
    assert await figures.of("audit_pass_rate", area) == (1, 1, 1.0)
    await eventually(
        lambda: figures.of("follow_up_coverage", area), until=lambda found: found == (1, 1, 1.0), seconds=30
    )
    # What the subscriber thinks is an event of its own, behind the end of the follow-up.
    await eventually(
        lambda: figures.of("follow_up_satisfaction", area), until=lambda found: found == (4, 5, 0.8), seconds=30
    )
    assert await figures.of("follow_up_response_rate", f"agent_id:caller-{figures.installation.mark}") == (1, 1, 1.0)
    (answered,) = [one for one in await figures.behind("connect_rate", queue) if one["numerator"]]
    assert answered["subject"] == call["id"]
    kinds = {one["type"].split(".")[2] for one in answered["events"]}
    assert kinds >= {"offered", "queued", "answered", "ended", "settled"}
    (completed,) = await figures.behind("work_orders_completed", area)
    assert completed["subject"] == order["id"]
    assert [one["type"] for one in completed["events"]] == ["linework.work_order.completed.v1"]
    (covered,) = await figures.behind("follow_up_coverage", area)
    kinds = [one["type"].removeprefix("linework.") for one in covered["events"]]
    ended = ["quality.follow_up_ended.v1", "quality.satisfaction_given.v1"]
    assert kinds == ["work_order.completed.v1", "quality.follow_up_planned.v1", *ended]


async def test_the_log_of_a_real_switch_gives_the_figures_that_an_independent_count_gives(
    running: Running, installation: Installation, switch: Switch, tmp_path: Path
) -> None:
    if not REAL_LOG.exists():
        pytest.skip("the shared folder with the log of a real switch is not here")
    queues = {name: f"{name}-{installation.mark}" for name in ("support", "complaints")}
    text = REAL_LOG.read_text()
    for name, own in queues.items():
        text = text.replace(f"|{name}|", f"|{own}|")
    log = tmp_path / "queue_log"
    log.write_text(text)
    said = json.loads(
        await asyncio.to_thread(running.linework, "bridge", "asterisk", str(log), "--json", "--partner", switch.name)
    )
    assert (said["odd_line_count"], said["unknown_verbs"]) == (0, {})
    independent = count(text.splitlines(keepends=True))
    first = datetime.fromtimestamp(int(text.split("|")[0]), UTC)
    figures = Figures(installation, first)
    expected = {
        "calls_offered": independent["queued"],
        "calls_answered": independent["answered"],
        "calls_abandoned": independent["abandoned"],
        "calls_lost": independent["lost"] + independent["lost with the switch"],
        "service_level_3": independent["answered within 20"],
        "speed_of_answer": independent["answer wait"],
        "talk_time": independent["talk"],
    }

    async def shown() -> dict[str, float]:
        return {
            metric: sum([(await figures.of(metric, f"queue:{own}"))[0] for own in queues.values()])
            for metric in expected
        }

    await eventually(shown, until=lambda found: found == expected, seconds=60)
    await asyncio.to_thread(recounted, running)


def recounted(running: Running) -> None:
    """Every figure, counted again from the raw events by other code."""
    assert running.linework("recount").rstrip().endswith(" 0 differences.")
