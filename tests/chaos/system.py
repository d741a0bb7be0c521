"""A whole installation whose every connection runs through a link of its own.

Kafka tells its clients where to go on, so each worker comes to each broker by an entrance of its own, whose
advertised port is the worker's link to that broker. PostgreSQL needs one proxy a process; clients one a service.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.links import Link
from tests.chaos.parts import Part, Process, all_ready

from linework.client_addresses import Addresses
from linework.embedded import EmbeddedKafka, EmbeddedPostgres, Entrance, Node, new_cluster_id
from linework.embedded.jars import fetch_jars
from linework.ports import LOOPBACK, SERVICES, free_port
from linework.runtime.giving_up import GivingUp
from linework.runtime.installation import AUDIENCE, Installation
from linework.runtime.migrations import migrate
from linework.runtime.preparation import create_databases, create_topics, database_urls
from linework.runtime.program import service_environment

_POSTGRES_MEGABYTES = 700
_KAFKA_MEGABYTES = 500
_TEND_SECONDS = 0.1
_READY_SECONDS = 120


class System:
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
        self._worker_names = {
            f"{service}_worker" + (f"_{number}" if number else ""): (service, number)
            for service in self.services
            for number in range(workers.get(service, 1))
        }
        ports = {part: free_port() for part in ("issuer", *SERVICES, *(f"{service}_worker" for service in SERVICES))}
        self._node_ids = range(1, broker_count + 1)
        self._kafka_ports = {number: free_port() for number in self._node_ids}
        self.bootstrap_servers = ",".join(f"{LOOPBACK}:{port}" for port in self._kafka_ports.values())
        self.installation = Installation(folder, ports, outside_kafka=self.bootstrap_servers)
        self.database_urls: dict[str, str] = {}
        """Each service's database, by no link."""

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
        return [f"kafka_{number}" for number in self._node_ids]

    def addresses(self, *, by_links: bool) -> Addresses:
        """Where clients find the services: by links that can be cut, or not."""

        def url(service: str) -> str:
            port = self.links[f"clients to {service}"][0].port if by_links else self.installation.ports[service]
            return f"http://{LOOPBACK}:{port}"

        return Addresses(
            services={
                service: url(service) if service in self.services else "http://127.0.0.1:9" for service in SERVICES
            },
            issuer=self.installation.address("issuer"),
            workers={service: self.installation.address(f"{service}_worker") for service in self.services},
            bootstrap_servers=self.bootstrap_servers,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["System"]:
        """Everything is up and ready within the block, and whatever dies in it is started again."""
        self.installation.make_folders()
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
        logs = self.installation.logs
        postgres = EmbeddedPostgres(
            self._disk(stack, "postgres", _POSTGRES_MEGABYTES),
            free_port(),
            log=logs / "postgres.log",
            shared_buffers="64MB",
            dies_with_parent=True,
        )
        for process in (*self.services, *self._worker_names):
            self.links[f"{process} to postgres"] = [Link(f"{process} to postgres", postgres.port)]
        for service in self.services:
            name = f"clients to {service}"
            self.links[name] = [Link(name, self.installation.ports[service])]
        quorum = {number: free_port() for number in self._node_ids}
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
        self.postgres = postgres
        return [postgres, *brokers]

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
        """Databases, migrated, and topics."""
        self.database_urls = database_urls(self.postgres.url)
        create_databases(self.postgres.url)
        with ThreadPoolExecutor(2) as pool:
            environments = {
                name: service_environment(self.installation, name, self.database_urls[name]) for name in self.services
            }
            migrations = [
                pool.submit(migrate, self.installation, name, env, GivingUp()) for name, env in environments.items()
            ]
            for migration in migrations:
                migration.result()
        create_topics(self.bootstrap_servers, "")

    def _make_processes(self) -> Iterator[Process]:
        installation, ports = self.installation, self.installation.ports
        issuer = {
            "HTTP_PORT": str(ports["issuer"]),
            "OIDC_ISSUER": installation.address("issuer"),
            "OIDC_AUDIENCE": AUDIENCE,
            "LINEWORK_ISSUER_KEY": str(self.folder / "issuer-key.pem"),
        }
        yield self._process("issuer", "linework.issuer", ports["issuer"], issuer)
        for service in self.services:
            yield self._process(service, f"{service}.main", ports[service], self._environment(service, service))
        for worker, (service, number) in self._worker_names.items():
            port = free_port() if number else ports[f"{service}_worker"]
            env = self._environment(service, worker) | {"WORKER_ID": str(number), "WORKER_PORT": str(port)}
            yield self._process(worker, f"{service}.worker", port, env)

    def _process(self, name: str, module: str, port: int, env: dict[str, str]) -> Process:
        return Process(name, module, port, env, self.installation.logs / f"{name}.log", self.folder / f"{name}.clock")

    def _environment(self, service: str, process: str) -> dict[str, str]:
        link = self.links[f"{process} to postgres"][0]
        url = self.database_urls[service].replace(f":{self.postgres.port}/", f":{link.port}/")
        env = service_environment(self.installation, service, url)
        kafka = self.links.get(f"{process} to kafka")
        if kafka:
            env["KAFKA_BOOTSTRAP_SERVERS"] = ",".join(f"{LOOPBACK}:{link.port}" for link in kafka)
        return env

    async def all_ready(self, seconds: float = _READY_SECONDS) -> None:
        missing = await all_ready(self.processes, seconds)
        assert not missing, f"not ready within {seconds} s: {', '.join(missing)}; logs are in {self.installation.logs}"

    async def _tend(self) -> None:
        while True:
            for part in self.parts.values():
                part.tend(self.say)
            await asyncio.sleep(_TEND_SECONDS)

    def _kill_all(self) -> None:
        # What it leaves behind is thrown away, so nobody has to end in order.
        for part in reversed(self.parts.values()):
            part.thing.kill()


_DIGITS = {ord(str(digit)): chr(ord("A") + digit) for digit in range(10)}
