"""Where people's data are, and that nothing of them is left anywhere after an erasure.

Everything that is typed in these stories carries a mark of its own; then whatever was written anywhere is searched
for it: every table of every database, every topic with its headers, the logs, the metrics, the answers that refuse.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.follow_ups import opened_project
from tests.installation import Installation, Json
from tests.running import Running

from chassis.testing import eventually
from contracts.topics import TOPICS
from linework.ports import SERVICES

PERSONAL = frozenset({("intake", name) for name in ("subscribers", "idempotency_keys", "calls", "call_facts")})
"""The tables in which a name, a phone, an address or notes about a subscriber may be; of calls the caller's number."""


@dataclass(frozen=True)
class Marked:
    """A subscriber and what was typed about them, each with a mark that is nowhere else."""

    subscriber_no: str
    name: str
    phone: str
    address: str
    notes: str
    text: str

    @property
    def own(self) -> tuple[str, ...]:
        return self.name, self.phone, self.address, self.notes

    @classmethod
    def new(cls) -> "Marked":
        mark = uuid.uuid4()
        return cls(
            subscriber_no=f"m-{mark.hex[:8]}",
            name=f"欧阳{mark.hex[8:20]}",
            phone=f"139{mark.int % 10**17:017d}",
            address=f"标记路{mark.hex[12:24]}号",
            notes=f"有狗{mark.hex[16:28]}",
            text=f"门口按铃{mark.hex[20:32]}",
        )


def forms_of(mark: str) -> set[bytes]:
    """How a mark can be written: as it is, escaped in JSON, in hexadecimal as PostgreSQL shows bytes."""
    raw = mark.encode()
    return {raw, json.dumps(mark)[1:-1].encode(), raw.hex().encode()}


@dataclass
class Inside:
    """What only an operator sees of the installation."""

    installation: Installation
    logs: tuple[Path, ...]

    async def everything(self) -> dict[tuple[str, str], bytes]:
        """All that was written, by place: database and table, topic, log, metrics."""
        written: dict[tuple[str, str], bytes] = {}
        for service in SERVICES:
            written |= await self._tables(service)
        for topic in TOPICS:
            records = await self.installation.records(topic.name)
            written["topic", topic.name] = b"\n".join(
                b"|".join([record.key or b"", record.value or b"", *(value for _, value in record.headers)])
                for record in records
            )
        for log in self.logs:
            written["log", log.name] = log.read_bytes()
        addresses = self.installation.addresses
        for process in (addresses.services, addresses.workers):
            for url in process.values():
                answer = await self.installation.client.get(f"{url}/metrics")
                written["metrics", url] = answer.content
        return written

    async def _tables(self, service: str) -> dict[tuple[str, str], bytes]:
        async with self.installation.connection(service) as connection:
            names = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
            return {
                (service, name): "\n".join(
                    row[0] for row in await connection.fetch(f'select one::text from "{name}" as one')
                ).encode()
                for (name,) in names
            }

    async def places_of(self, marks: tuple[str, ...]) -> set[tuple[str, str]]:
        written = await self.everything()
        wanted = set().union(*map(forms_of, marks))
        return {place for place, content in written.items() if any(form in content for form in wanted)}


@pytest.fixture
def inside(here: Running, installation: Installation, request: pytest.FixtureRequest) -> Inside:
    servers = request.getfixturevalue("postgres_server"), request.getfixturevalue("kafka_server")
    return Inside(installation, (*sorted((here.state_folder / "logs").iterdir()), *(server.log for server in servers)))


async def tell_everything(installation: Installation, marked: Marked, answers: list[str]) -> list[Json]:
    """Every act that takes a text, on orders that end archived and cancelled, with some that are refused."""
    agent, text = installation.agent, marked.text
    key = {"idempotency-key": str(uuid.uuid4())}
    subscriber = {
        "subscriber_no": marked.subscriber_no,
        "name": marked.name,
        "phones": [marked.phone],
        "address": marked.address,
        "notes": marked.notes,
    }
    me = await agent.post("intake", "/subscribers", subscriber, **key)
    project = await opened_project(installation, "south")
    order = await installation.create(subscriber_no=marked.subscriber_no, content=text)
    order = await installation.dispatched(order, remark=text)
    order = await installation.act(order, "reject", reason="other", explanation=text)
    order = await installation.act(order, "send-to-redispatch", is_misdispatch_valid=False, remark=text)
    order = await installation.act(order, "dispatch", "start", area="south")
    south = installation.south
    order = await south.act("fieldwork", order, "notes", note=text)
    order = await south.act(
        "fieldwork", order, "suspend", reason=text, until=(datetime.now(UTC) + timedelta(days=1)).isoformat()
    )
    asked = await agent.post("intake", f"/work-orders/{order['id']}/urge-requests", {"reason": text}, **key)
    await agent.get("intake", f"/requests/{asked['id']}", wait_seconds=10)
    order = await south.see("fieldwork", order | {"version": order["version"] + 1})
    order = await south.act("fieldwork", order, "resume")
    order = await installation.act(order, "complete", area="south", handling=text)
    order = await installation.auditor.act("qa", order, "redispatch", reason=text)
    order = await installation.act(order, "dispatch", "start", area="south")
    order = await installation.act(order, "complete", area="south", handling=text)
    order = await installation.act(order, "submit-for-audit")
    order = await installation.act(order, "audit", remark=text)
    order = await installation.act(order, "archive")
    await tell_of_calls(installation, marked, order)
    await tell_of_a_follow_up(installation, marked, order, project)
    await installation.auditor.post(
        "intake", f"/subscribers/{me['id']}/reveals", {"purpose": "visit", "reason": text}, **key
    )
    cancelled = await installation.create(subscriber_no=marked.subscriber_no, content=text)
    asked = await agent.post("intake", f"/work-orders/{cancelled['id']}/cancel-requests", {"reason": text})
    await agent.get("intake", f"/requests/{asked['id']}", wait_seconds=10)
    answers += await refusals(installation, marked, order, subscriber)
    return [order, cancelled | {"version": 2}]


async def tell_of_calls(installation: Installation, marked: Marked, order: Json) -> None:
    """What agents type about a call: its record, before they know who calls and after; a department, a promise."""
    agent, text = installation.agent, marked.text
    at = datetime.now(UTC) - timedelta(minutes=5)
    times = {"started_at": at.isoformat(), "ended_at": (at + timedelta(minutes=1)).isoformat()}
    key = {"idempotency-key": str(uuid.uuid4())}
    stranger = await agent.post("intake", "/calls", times | {"phone": f"1{uuid.uuid4().int % 10**15}"})
    for call in (stranger, await agent.post("intake", "/calls", times | {"phone": marked.phone}, **key)):
        path = f"/calls/{call['id']}"
        record = {"content": text, "remark": text, "caller_name": text, "handling_opinion": text}
        await agent.put("intake", f"{path}/record", record)
        await agent.post("intake", f"{path}/classify", {"subscriber_no": marked.subscriber_no}, **key)
        assert (await agent.get("intake", path))["record"]["content"] == text
        asked = {"outcome": "department", "department": "billing", "question": text}
        referral = (await agent.post("intake", f"{path}/settlements", asked, **key))["referral_id"]
        await agent.post("intake", f"/referrals/{referral}/answer", {"text": text}, **key)
        reply_by = (at + timedelta(days=1)).isoformat()
        case = {"outcome": "difficult_case", "content": text, "contact": text, "reply_by": reply_by}
        case_id = (await agent.post("intake", f"{path}/settlements", case))["case_id"]
        replied = await agent.post("intake", f"/cases/{case_id}/reply", {"text": text}, **key)
        assert replied["reply"] == text
    other = await installation.create(subscriber_no=installation.subscriber_no)
    link = {"kind": "duplicate", "other_order_id": other["id"], "reason": text}
    linked = await agent.post("intake", f"/work-orders/{order['id']}/links", link, **key)
    assert linked["reason"] == text


async def tell_of_a_follow_up(installation: Installation, marked: Marked, order: Json, project: str) -> None:
    """The subscriber is called, and what they say is written down; a finding is closed by a remark."""
    caller, text = await installation.person("agent", sub=f"caller-{installation.mark}"), marked.text
    key = {"idempotency-key": str(uuid.uuid4())}
    await eventually(
        lambda: installation.supervisor.get("qa", "/follow-ups", order_id=order["id"], state="waiting"),
        until=lambda page: page["items"],
        seconds=30,
    )
    taken = await caller.post("qa", f"/follow-up-projects/{project}/take", {})
    said = [{"question": "content", "scale": 1}, {"question": "wish", "text": text}]
    answers = {"subscriber_no": marked.subscriber_no, "replies": said, "note": text}
    path, version = f"/follow-ups/{taken['id']}", {"if-match": f'"{taken["version"]}"'}
    done = await caller.post("qa", f"{path}/complete", answers, **key, **version)
    assert done["replies"][1]["text"] == text
    (finding,) = (await installation.supervisor.get("qa", "/findings", project_id=project))["items"]
    closing = {"if-match": f'"{finding["version"]}"'}
    await installation.supervisor.post("qa", f"/findings/{finding['id']}/close", {"remark": text}, **key, **closing)


async def refusals(installation: Installation, marked: Marked, order: Json, subscriber: Json) -> list[str]:
    """What is answered to commands that cannot be, which carry the marks."""
    path = f"/work-orders/{order['id']}"
    version = {"if-match": f'"{order["version"]}"'}
    wrong = [
        ("intake", "/subscribers", subscriber, {}),
        ("intake", "/subscribers", subscriber | {"phones": [marked.phone + "x"], "kind": marked.name}, {}),
        ("intake", "/work-orders", {"content": marked.text, marked.address: marked.notes}, {}),
        ("intake", f"{path}/cancel-requests", {"reason": marked.text, "occurred_at": marked.text}, {}),
        ("qa", f"{path}/redispatch", {"reason": marked.text}, version),
    ]
    answers = []
    for service, route, body, headers in wrong:
        person = installation.auditor if service == "qa" else installation.agent
        answer = await person.ask("POST", service, route, json=body, headers=headers)
        assert answer.status_code in (409, 422), answer.text
        answers.append(answer.text)
    return answers


async def is_at_rest(installation: Installation, orders: list[Json]) -> None:
    for order in orders:
        for service, person in (
            ("intake", installation.agent),
            ("dispatch", installation.dispatcher),
            ("qa", installation.auditor),
        ):
            await person.see(service, order)
        await installation.supervisor.get(
            "reporting", f"/work-orders/{order['id']}/timeline", at_least=order["version"]
        )


async def test_people_are_in_intakes_tables_only_and_free_text_is_nowhere(
    installation: Installation, inside: Inside
) -> None:
    marked, answers = Marked.new(), []
    orders = await tell_everything(installation, marked, answers)
    await is_at_rest(installation, orders)
    assert await inside.places_of(marked.own) == PERSONAL
    assert await inside.places_of((marked.text,)) == set()
    # Of what was sent, a refusal names fields and numbers only; a field's own name is the caller's.
    for answer in answers:
        assert not [one for one in (marked.name, marked.phone, marked.notes, marked.text) if one in answer], answer


async def test_an_erased_subscriber_is_nowhere_and_their_timelines_still_verify(
    here: Running, installation: Installation, inside: Inside
) -> None:
    marked = Marked.new()
    orders = await tell_everything(installation, marked, [])
    await is_at_rest(installation, orders)
    timeline = await installation.supervisor.get("reporting", f"/work-orders/{orders[0]['id']}/timeline")
    assert marked.text in json.dumps(timeline, ensure_ascii=False)
    before = await installation.supervisor.get("reporting", f"/work-orders/{orders[0]['id']}/proof")
    found = await installation.supervisor.get("intake", "/subscribers", subscriber_no=marked.subscriber_no)
    erasure = f"/subscribers/{found['items'][0]['id']}/erasure"
    evidence = await installation.supervisor.post("intake", erasure, {"ground": "subscriber_asked"})
    assert evidence["order_count"] == 2
    people = {
        "intake": installation.agent,
        "dispatch": installation.dispatcher,
        "qa": installation.auditor,
        "fieldwork": installation.supervisor,
    }
    for service, person in people.items():
        shown = await eventually(
            lambda person=person, service=service: person.get(service, f"/work-orders/{orders[0]['id']}"),
            until=lambda order: order.get("sealed_text") == "erased",
            seconds=30,
        )
        assert shown["content"] == "(erased with the subscriber's data)"
    assert await inside.places_of((*marked.own, marked.text)) == set()
    after = await installation.supervisor.get("reporting", f"/work-orders/{orders[0]['id']}/proof")
    assert (after["events"], after["final_hash"]) == (before["events"], before["final_hash"])
    assert marked.text not in json.dumps(after, ensure_ascii=False)
    await asyncio.to_thread(here.linework, "verify")
