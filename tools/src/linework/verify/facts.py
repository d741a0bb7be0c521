"""The streams of calls, limits and quality, as far as they were read, every fact and notice once into the recount.

Facts have versions without gaps; notices of quality have none, and are known by their ids.
"""

from contracts.message import Message
from linework.recount import Recount
from linework.verify.laws import Findings, Law


class Facts:
    """Takes the messages of `calls`, `deadlines` and `quality`, in the order of each key."""

    def __init__(self, findings: Findings, recount: Recount) -> None:
        self.message_count = 0
        self.notice_count = 0
        self._findings = findings
        self._recount = recount
        self._versions: dict[str, int] = {}
        self._notices: set[str] = set()

    def take(self, message: Message) -> None:
        version, known = message.entity_version, self._versions.get(message.subject, 0)
        if version is None or version <= known:
            return  # a repeat
        if version > known + 1:
            self._findings.add(Law.VERSIONS, message.subject, f"version {version} follows version {known}")
        self._versions[message.subject] = version
        self.message_count += 1
        self._recount.take_fact(message)

    def take_notice(self, message: Message) -> None:
        if message.id in self._notices:
            return  # a repeat
        self._notices.add(message.id)
        self.notice_count += 1
        self._recount.take_notice(message)
