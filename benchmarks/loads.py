"""The loads: whole lives of orders, creations, pages, and how long until reporting shows an event."""

import asyncio
import json
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks.installation import AREA, STAFF, MeasuredInstallation
from benchmarks.wire import Connection

_COMPLETION = {
    "staff_ids": [STAFF],
    "handling": "replaced the drop cable and measured the signal",
    "is_resolved": True,
    "is_petitioned": False,
    "is_called_back": True,
}
# Service, role, act, body. An act that follows one of another service waits for the hand-over.
ACTS: tuple[tuple[str, str, str, dict[str, object]], ...] = (
    ("dispatch", "dispatcher", "dispatch", {"work_area_id": AREA, "staff_ids": [STAFF], "remark": "today"}),
    ("fieldwork", "technician", "start", {}),
    ("fieldwork", "technician", "complete", _COMPLETION),
    ("qa", "auditor", "submit-for-audit", {}),
    ("qa", "auditor", "audit", {"verdict": "passed", "remark": "complete"}),
    ("qa", "auditor", "archive", {}),
)
HAND_OVERS = frozenset({"dispatch", "start", "submit-for-audit"})


def creation(number: int) -> bytes:
    return json.dumps(
        {
            "subscriber_no": f"B{number % 100}",
            "device_type": "digital",
            "demand_type": "test",
            "content": "no picture since this morning " + "x" * 450,
        }
    ).encode()


@dataclass
class Latencies:
    """Seconds, by name of the act."""

    by_act: dict[str, list[float]] = field(default_factory=dict)

    def add(self, act: str, seconds: float) -> None:
        self.by_act.setdefault(act, []).append(seconds)

    def centiles(self, *, with_hand_overs: bool) -> tuple[float, float]:
        """p50 and p99 in milliseconds."""
        seconds = [
            one
            for act, latencies in self.by_act.items()
            if with_hand_overs or act not in HAND_OVERS
            for one in latencies
        ]
        return centiles_ms(seconds)


def centiles_ms(seconds: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


class Client:
    """Somebody in every role at once, with a connection to each service."""

    def __init__(self, installation: MeasuredInstallation) -> None:
        self._intake = installation.connection("intake", "agent")
        roles = {service: role for service, role, _, _ in ACTS}
        self._others = {service: installation.connection(service, role) for service, role in roles.items()}

    async def create(self, number: int, latencies: Latencies) -> str:
        started = time.perf_counter()
        _, answer = await self._intake.ask("POST", "/v1/work-orders", creation(number))
        latencies.add("create", time.perf_counter() - started)
        return json.loads(answer)["id"]

    async def live(self, number: int, latencies: Latencies) -> str:
        """One order from creation to archive, each act after the answer to the one before."""
        order_id = await self.create(number, latencies)
        for version, (service, _, act, body) in enumerate(ACTS, start=1):
            started = time.perf_counter()
            await self._others[service].ask(
                "POST",
                f"/v1/work-orders/{order_id}/{act}",
                json.dumps(body).encode(),
                {"if-match": f'"{version}"', "idempotency-key": f"{order_id}-{version}"},
            )
            latencies.add(act, time.perf_counter() - started)
        return order_id

    def close(self) -> None:
        for connection in (self._intake, *self._others.values()):
            connection.close()


@dataclass(frozen=True, slots=True)
class Lives:
    count: int
    accepted_per_second: float
    settled_per_second: float
    latencies: Latencies


async def lifecycles(installation: MeasuredInstallation, numbers: Iterable[int], *, clients: int) -> Lives:
    latencies, left = Latencies(), iter(numbers)
    started = time.perf_counter()
    counts = await asyncio.gather(*(_live_on(Client(installation), left, latencies) for _ in range(clients)))
    accepted = time.perf_counter() - started
    await installation.settled()
    count = sum(counts)
    return Lives(count, count / accepted, count / (time.perf_counter() - started), latencies)


async def _live_on(client: Client, numbers: Iterator[int], latencies: Latencies) -> int:
    count = 0
    for number in numbers:
        await client.live(number, latencies)
        count += 1
    client.close()
    return count


async def creates(
    installation: MeasuredInstallation, numbers: Iterable[int], *, clients: int = 32
) -> tuple[int, float]:
    """How many, and how many a second."""
    left = iter(numbers)

    async def create_on(client: Client) -> int:
        latencies = Latencies()
        for number in left:
            await client.create(number, latencies)
        client.close()
        return sum(map(len, latencies.by_act.values()))

    started = time.perf_counter()
    counts = await asyncio.gather(*(create_on(Client(installation)) for _ in range(clients)))
    seconds = time.perf_counter() - started
    await installation.settled()
    return sum(counts), sum(counts) / seconds


async def pages(installation: MeasuredInstallation, numbers: Iterable[int], *, clients: int = 8) -> tuple[int, float]:
    """How many, and how many a second: 50 out of all open orders each, a client reading on from page to page."""
    left = iter(numbers)

    async def read(connection: Connection) -> int:
        cursor, count = None, 0
        for _ in left:
            path = "/v1/work-orders?status=created&limit=50" + (f"&cursor={cursor}" if cursor else "")
            _, page = await connection.ask("GET", path)
            # The cursor is the last thing of the page; decoding 50 orders would measure the client.
            cursor = page[page.rindex(b'"next_cursor":') + 14 : -1].strip(b'"').decode()
            cursor = None if cursor == "null" else cursor
            count += 1
        connection.close()
        return count

    started = time.perf_counter()
    counts = await asyncio.gather(*(read(installation.connection("dispatch", "dispatcher")) for _ in range(clients)))
    return sum(counts), sum(counts) / (time.perf_counter() - started)


async def visible_in_reporting(installation: MeasuredInstallation, *, count: int, per_second: float) -> list[float]:
    """Seconds from the answer to a creation until reporting's timeline has it, at a steady rate."""
    seconds: list[float] = []
    pool = [(Client(installation), installation.connection("reporting", "supervisor")) for _ in range(64)]
    free: asyncio.Queue = asyncio.Queue()
    for pair in pool:
        free.put_nowait(pair)

    async def watch(number: int) -> None:
        client, reporting = await free.get()
        order_id = await client.create(number, Latencies())
        started = time.perf_counter()
        await reporting.ask("GET", f"/v1/work-orders/{order_id}/timeline?at_least=1")
        seconds.append(time.perf_counter() - started)
        free.put_nowait((client, reporting))

    started, tasks = time.perf_counter(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
        tasks.append(asyncio.create_task(watch(number)))
    await asyncio.gather(*tasks)
    for client, reporting in pool:
        client.close()
        reporting.close()
    return seconds
