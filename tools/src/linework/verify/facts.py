"""The stream of calls, as far as it was read: versions without gaps, and every fact once into the recount."""

from contracts.message import Message
from linework.recount import Recount
from linework.verify.laws import Findings, Law


class Facts:
    """Takes the messages of `calls` in the order of each key."""

    def __init__(self, findings: Findings, recount: Recount) -> None:
        self.message_count = 0
        self._findings = findings
        self._recount = recount
        self._versions: dict[str, int] = {}

    def take(self, message: Message) -> None:
        version, known = message.entity_version, self._versions.get(message.subject, 0)
        if version is None or version <= known:
            return  # a repeat
        if version > known + 1:
            self._findings.add(Law.VERSIONS, message.subject, f"version {version} follows version {known}")
        self._versions[message.subject] = version
        self.message_count += 1
        self._recount.take_fact(message)
