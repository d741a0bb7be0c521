"""The installation under measurement: `linework up` of a checkout on servers of its own, and people with tokens."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import httpx
from tests.running import Running

from benchmarks.floor import Servers
from benchmarks.wire import Connection
from linework.embedded import EmbeddedPostgres
from linework.ports import LOOPBACK, SERVICES
from linework.runtime.installation import REPOSITORY

AREA, STAFF = "bench-area", "bench-staff"


@dataclass
class MeasuredInstallation:
    checkout: Path
    servers: Servers
    state_folder: Path
    ports: dict[str, int]
    tokens: dict[str, str] = field(default_factory=dict)

    def connection(self, service: str, role: str) -> Connection:
        return Connection(LOOPBACK, self.ports[service], f"authorization: Bearer {self.tokens[role]}")

    async def query(self, service: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of a service's database, for what the APIs do not tell: that everything is settled."""
        connection = await asyncpg.connect(self.servers.database(f"linework_{service}"))
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    async def settled(self, *, seconds: float = 300) -> None:
        """Until every consumer has applied everything that was published, and nothing waits to be."""
        async with asyncio.timeout(seconds):
            while True:
                waiting = 0
                for service in SERVICES:
                    (row,) = await self.query(service, "select count(*) as rows from outbox")
                    waiting += row["rows"]
                    if service != "reporting":
                        (row,) = await self.query(
                            service, "select count(*) as rows from work_orders where stream_version < version"
                        )
                        waiting += row["rows"]
                versions = {await self._version_sum(service) for service in SERVICES}
                if waiting == 0 and len(versions) == 1:
                    return
                await asyncio.sleep(0.05)

    async def _version_sum(self, service: str) -> int:
        sql = (
            "select count(*) as versions from messages where order_version is not null"
            if service == "reporting"
            else "select coalesce(sum(version), 0) as versions from work_orders"
        )
        return (await self.query(service, sql))[0]["versions"]

    def process_ids(self) -> dict[str, int]:
        """By name: every service and worker, the issuer, the two servers and the supervisor."""
        records = [*(self.state_folder / "run").glob("*.json"), self.state_folder / "supervisor.json"]
        return {record.stem: json.loads(record.read_text())["pid"] for record in sorted(records)}


@contextlib.asynccontextmanager
async def measured_installation(checkout: Path = REPOSITORY) -> AsyncIterator[MeasuredInstallation]:
    """A running installation, empty but for one work area and the types of an order; it is stopped on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with TemporaryDirectory(prefix="linework-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        # Its servers are the checkout's own too, as `make run` starts them.
        outside = {"DATABASE_URL": "", "KAFKA_BOOTSTRAP_SERVERS": ""}
        with Running.here(folder / "state", checkout=checkout, **outside).up("--empty") as running:
            ports, state = running.ports, folder / "state"
            postgres = EmbeddedPostgres(state / "postgres", ports["postgres"], dies_with_parent=True)
            built = MeasuredInstallation(checkout, Servers(postgres.url, f"{LOOPBACK}:{ports['kafka']}"), state, ports)
            await _settle_in(built)
            yield built


async def _settle_in(built: MeasuredInstallation) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        for role, areas in (
            ("agent", []),
            ("dispatcher", []),
            ("technician", [AREA]),
            ("auditor", []),
            ("supervisor", []),
            ("operator", []),
        ):
            asked = {"role": role, "areas": areas, "sub": f"bench-{role}"}
            answer = await client.post(f"http://{LOOPBACK}:{built.ports['issuer']}/token", json=asked)
            built.tokens[role] = answer.raise_for_status().json()["access_token"]
        await _define(client, built)


async def _define(client: httpx.AsyncClient, built: MeasuredInstallation) -> None:
    names = {"name_en": "bench", "name_zh": "测试"}

    async def tell(method: str, service: str, path: str, role: str, body: dict[str, object]) -> None:
        url = f"http://{LOOPBACK}:{built.ports[service]}{path}"
        answer = await client.request(method, url, json=body, headers={"authorization": f"Bearer {built.tokens[role]}"})
        answer.raise_for_status()

    await tell("PUT", "intake", "/v1/device-types/digital", "operator", names)
    await tell("PUT", "intake", "/v1/demand-types/test", "operator", names)
    await tell("PUT", "dispatch", f"/v1/work-areas/{AREA}", "operator", names)
    await tell("PUT", "dispatch", f"/v1/staff/{STAFF}", "operator", {"name": "Bench", "work_area_id": AREA})
    for number in range(100):
        subscriber = {"subscriber_no": f"B{number}", "name": "Bench", "phones": [], "address": "1 Bench Street"}
        await tell("POST", "intake", "/v1/subscribers", "agent", subscriber)
