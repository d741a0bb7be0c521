"""A real broker that asks who comes, as the production overlay's does: TLS, SCRAM, and the rights of `users.yaml`.

On another port it asks for a certificate instead of a password; its name is the user's. On one port nobody is asked;
whoever comes by it may do everything, as an operator of the broker may.
"""

import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from pydantic import SecretStr

from chassis.settings import Settings
from chassis.testing import settings_for
from chassis.testing_certificates import Authority
from linework.embedded.kafka import EmbeddedKafka, Entrance, Node, _java, fetch_jars, new_cluster_id
from linework.ports import free_port

PASSWORD = "open-sesame"
_RESOURCES = {"topic": 2, "group": 3, "cluster": 4}
_PATTERNS = {"literal": 3, "prefix": 4}
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Describe": 8, "IdempotentWrite": 12}
_ALLOW = 3


class GuardedKafka(EmbeddedKafka):
    """`users` are known to it; what each may do is told by `allow`."""

    def __init__(self, folder: Path, port: int, controller_port: int, users_port: int, users: Iterable[str]) -> None:
        certificates_port = free_port()
        entrances = [
            Entrance("USERS", users_port, users_port),
            Entrance("CERTIFICATES", certificates_port, certificates_port),
        ]
        node = Node(1, new_cluster_id(), {1: controller_port}, entrances)
        super().__init__(folder, port, controller_port, node=node, dies_with_parent=True)
        self._users = list(users)
        self.for_users = f"127.0.0.1:{users_port}"
        self.for_certificates = f"127.0.0.1:{certificates_port}"

    def _write_settings(self) -> None:
        super()._write_settings()
        self.authority = Authority(self.folder)
        certificate, key = self.authority.issue("broker")
        (self.folder / "broker.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
        guarded = {
            # Of a setting that is there twice the last counts.
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_SSL,CERTIFICATES:SSL"
            ),
            "listener.name.certificates.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+)$/$1/",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.users.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "broker.pem"),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }
        with self._settings_file.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in guarded.items())

    def _format(self, java: list[str]) -> None:
        users = [f"SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in self._users]
        options = ["-t", self._node.cluster_id, "-c", str(self._settings_file)]
        scram = [word for user in users for word in ("--add-scram", user)]
        command = [*_java(fetch_jars()), "kafka.tools.StorageTool", "format", *options, *scram]
        with self.log.open("ab") as log:
            subprocess.run(command, stdout=log, stderr=log, cwd=self.folder, check=True)

    def settings_of(self, user: str, database_url: str = "postgresql://nobody@127.0.0.1/none") -> Settings:
        """What a process of this user is told."""
        return settings_for(
            database_url,
            self.for_users,
            kafka_user=user,
            kafka_password=SecretStr(PASSWORD),
            kafka_ca_file=str(self.authority.file),
        )

    def settings_with_certificate(
        self, certificate: Path, key: Path, database_url: str = "postgresql://nobody@127.0.0.1/none"
    ) -> Settings:
        """What a process is told that shows a certificate instead of a password."""
        return settings_for(
            database_url,
            self.for_certificates,
            kafka_ca_file=str(self.authority.file),
            kafka_certificate_file=str(certificate),
            kafka_key_file=str(key),
        )

    async def allow(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        """The rights of `KafkaUser` manifests, by name."""
        async with operator_of(self) as admin:
            for name, spec in users.items():
                for acl in spec["authorization"]["acls"]:
                    for operation in acl["operations"]:
                        await _allow(admin, name, acl["resource"], operation)


@contextlib.asynccontextmanager
async def operator_of(broker: EmbeddedKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _allow(admin: AIOKafkaAdminClient, user: str, resource: Mapping[str, str], operation: str) -> None:
    asked = CreateAclsRequest(
        _RESOURCES[resource["type"]],
        resource.get("name", "kafka-cluster"),
        _PATTERNS[resource.get("patternType", "literal")],
        f"User:{user}",
        "*",
        _OPERATIONS[operation],
        _ALLOW,
    )
    answer = await admin._send_to_controller(asked)
    assert [code for code, _ in answer.creation_responses] == [0], answer
