"""A whole installation whose every connection runs through a link of its own.

Kafka tells its clients where to go on, so each worker comes to each broker by an entrance of its own, whose
advertised port is the worker's link to that broker. PostgreSQL needs one proxy a process; clients one a service.

Each service has a PostgreSQL of its own. On a shared one a service that waits for the disk flushes the commits of those
that do not wait, and a crash hardly ever loses any of them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Self

import asyncpg
from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.links import Link
from tests.chaos.parts import Part, Process, all_ready
from tests.installation import Installation

from linework.client_addresses import Addresses
from linework.embedded import EmbeddedKafka, EmbeddedPostgres, Entrance, Node, new_cluster_id
from linework.embedded.jars import fetch_jars
from linework.ports import LOOPBACK, OFFSETS, SERVICES, free_port
from linework.runtime.giving_up import GivingUp
from linework.runtime.installation import LocalInstallation as Described
from linework.runtime.migrations import migrate
from linework.runtime.preparation import create_topics, database_urls
from linework.runtime.program import issuer_environment, service_environment

_POSTGRES_MEGABYTES = 700
_KAFKA_MEGABYTES = 500
_TEND_SECONDS = 0.1
_READY_SECONDS = 120


class ServicePostgres(EmbeddedPostgres):
    """The server of one service's database."""

    def __init__(self, service: str, folder: Path, log: Path) -> None:
        super().__init__(folder, free_port(), log=log, shared_buffers="32MB", dies_with_parent=True)
        # A commit that does not wait for the disk is then lost in a crash more often.
        self._settings |= {"wal_writer_delay": "10s"}
        self.name = f"postgres_{service}"
        self.service = service

    async def create_database(self) -> None:
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            await connection.execute(f'create database "linework_{self.service}"')
        finally:
            await connection.close()


class BreakableInstallation(Installation):
    """Use `running`; everything in it belongs to the event loop that is running then."""

    def __init__(
        self,
        folder: Path,
        *,
        services: Sequence[str] = SERVICES,
        broker_count: int = 3,
        workers: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`workers` says of which services there are several workers, and how many."""
        self.folder = folder
        self.services = tuple(services)
        self.say: Callable[[str], None] = lambda text: None
        self.parts: dict[str, Part] = {}
        self.links: dict[str, list[Link]] = {}
        self.disks: dict[str, SmallDisk] = {}
        self._postgres: dict[str, ServicePostgres] = {}
        self._worker_names = {
            f"{service}_worker" + (f"_{number}" if number else ""): (service, number)
            for service in self.services
            for number in range(workers.get(service, 1))
        }
        self._service_of = {service: service for service in self.services}
        self._service_of |= {worker: service for worker, (service, _) in self._worker_names.items()}
        self._kafka_ports = {number: free_port() for number in range(1, broker_count + 1)}
        brokers = ",".join(f"{LOOPBACK}:{port}" for port in self._kafka_ports.values())
        ports = {part: free_port() for part in (*OFFSETS, *self._worker_names)}
        self._described = Described(folder, ports, outside_kafka=brokers)
        super().__init__(self._addresses(by_links=False))

    @property
    def processes(self) -> list[Process]:
        return [part.thing for part in self.parts.values() if isinstance(part.thing, Process)]

    def process(self, name: str) -> Process:
        thing = self.parts[name].thing
        assert isinstance(thing, Process)
        return thing

    @property
    def workers(self) -> list[str]:
        return list(self._worker_names)

    @property
    def brokers(self) -> list[str]:
        return [f"kafka_{number}" for number in self._kafka_ports]

    @property
    def databases(self) -> list[str]:
        """The names of the PostgreSQL servers, one a service."""
        return [server.name for server in self._postgres.values()]

    @property
    def addresses_by_links(self) -> Addresses:
        """Where clients find the services: by links that can be cut; `addresses` has none."""
        return self._addresses(by_links=True)

    def _addresses(self, *, by_links: bool) -> Addresses:
        ports = dict(self._described.ports)
        if by_links:
            ports |= {service: self.links[f"clients to {service}"][0].port for service in self.services}
        nowhere = "http://127.0.0.1:9"
        return Addresses(
            services={
                service: f"http://{LOOPBACK}:{ports[service]}" if service in self.services else nowhere
                for service in SERVICES
            },
            issuer=self._described.address("issuer"),
            workers={service: self._described.address(f"{service}_worker") for service in self.services},
            bootstrap_servers=self._described.bootstrap_servers,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Everything is up and ready within the block, and whatever dies in it is started again."""
        self._described.make_folders()
        self.folder.chmod(0o755)
        with contextlib.ExitStack() as stack:
            stack.callback(self._kill_all)
            servers = self._make_servers(stack)
            for links in self.links.values():
                for link in links:
                    await link.open()
                    stack.callback(link.close)
            await asyncio.gather(*(Part(server).start() for server in servers))
            self.parts = {server.name: Part(server) for server in servers}
            await asyncio.gather(*(server.create_database() for server in self._postgres.values()))
            await asyncio.to_thread(self._prepare)
            for process in self._make_processes():
                self.parts[process.name] = Part(process)
                process.start()
            await self.all_ready()
            tending = asyncio.create_task(self._tend(), name="tend")
            try:
                yield self
            finally:
                tending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await tending

    def _make_servers(self, stack: contextlib.ExitStack) -> list[EmbeddedPostgres | EmbeddedKafka]:
        fetch_jars()
        logs = self._described.logs
        for service in self.services:
            folder = self._disk(stack, f"postgres_{service}", _POSTGRES_MEGABYTES)
            self._postgres[service] = ServicePostgres(service, folder, logs / f"postgres_{service}.log")
        for process, service in self._service_of.items():
            name = f"{process} to postgres"
            self.links[name] = [Link(name, self._postgres[service].port)]
        for service in self.services:
            name = f"clients to {service}"
            self.links[name] = [Link(name, self._described.ports[service])]
        quorum = {number: free_port() for number in self._kafka_ports}
        cluster_id = new_cluster_id()
        brokers = [
            EmbeddedKafka(
                self._disk(stack, f"kafka_{number}", _KAFKA_MEGABYTES),
                port,
                quorum[number],
                node=Node(number, cluster_id, quorum, list(self._entrances(number))),
                log=logs / f"kafka_{number}.log",
                dies_with_parent=True,
            )
            for number, port in self._kafka_ports.items()
        ]
        return [*self._postgres.values(), *brokers]

    def _disk(self, stack: contextlib.ExitStack, name: str, megabytes: int) -> Path:
        folder = self.folder / name
        disk = stack.enter_context(small_disk(folder, megabytes))
        if disk is not None:
            self.disks[name] = disk
        return folder

    def _entrances(self, number: int) -> Iterator[Entrance]:
        for worker in self._worker_names:
            link = Link(f"{worker} to kafka_{number}", free_port())
            self.links.setdefault(f"{worker} to kafka", []).append(link)
            yield Entrance(worker.replace("_", "").upper().translate(_DIGITS), link.target_port, link.port)

    def _prepare(self) -> None:
        """Migrated databases, and topics."""
        self.database_urls = {name: database_urls(server.url)[name] for name, server in self._postgres.items()}

        def migrate_service(service: str) -> None:
            environment = service_environment(self._described, service, self.database_urls[service])
            migrate(self._described, service, environment, GivingUp())

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(migrate_service, self.services))
        create_topics(self.bootstrap_servers, "")

    def _make_processes(self) -> Iterator[Process]:
        yield Process(self._described, "issuer", "linework.issuer", issuer_environment(self._described))
        for service in self.services:
            yield Process(self._described, service, f"{service}.main", self._environment(service, service))
        for worker, (service, number) in self._worker_names.items():
            own = {"WORKER_ID": str(number), "WORKER_PORT": str(self._described.ports[worker])}
            yield Process(self._described, worker, f"{service}.worker", self._environment(service, worker) | own)

    def _environment(self, service: str, process: str) -> dict[str, str]:
        link = self.links[f"{process} to postgres"][0]
        url = self.database_urls[service].replace(f":{self._postgres[service].port}/", f":{link.port}/")
        env = service_environment(self._described, service, url)
        kafka = self.links.get(f"{process} to kafka")
        if kafka:
            env["KAFKA_BOOTSTRAP_SERVERS"] = ",".join(f"{LOOPBACK}:{link.port}" for link in kafka)
        return env

    async def all_ready(self, seconds: float = _READY_SECONDS) -> None:
        missing = await all_ready(self.processes, seconds)
        assert not missing, f"not ready within {seconds} s: {', '.join(missing)}; logs are in {self._described.logs}"

    async def _tend(self) -> None:
        while True:
            for part in self.parts.values():
                part.tend(self.say)
            await asyncio.sleep(_TEND_SECONDS)

    def _kill_all(self) -> None:
        # Its data is deleted, so processes need not stop in order.
        for part in reversed(self.parts.values()):
            part.thing.kill()


_DIGITS = {ord(str(digit)): chr(ord("A") + digit) for digit in range(10)}
