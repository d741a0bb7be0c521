"""Passes each fact and notice of the streams of calls, limits and quality to the recount, once each.

Facts have versions without gaps; notices of quality have no versions and are identified by their ids.
"""

from contracts.escalation import ClockAlarm
from contracts.message import Message
from linework.recount import Recount
from linework.verify.laws import Findings, Law


class Facts:
    """Takes the messages of `calls`, `deadlines` and `quality`, in the order of each key.

    The counts are those of reporting: each message once, also one of a type that this version does not know. What
    reporting has parked (`is_counted=False`) is checked, and neither counted nor given to the recount.
    """

    def __init__(self, findings: Findings, recount: Recount) -> None:
        self.message_count = 0
        self.notice_count = 0
        self._findings = findings
        self._recount = recount
        self._versions: dict[str, int] = {}
        self._without_version: set[str] = set()
        self._notices: set[str] = set()
        self._alarms: set[str] = set()

    def take(self, message: Message, *, is_counted: bool = True) -> None:
        version = message.entity_version
        if version is None:
            is_new = _is_new(message.id, self._without_version)
            self.message_count += is_counted and is_new
            if is_new and isinstance(message.body, ClockAlarm):
                self._check_alarm(message, message.body)
            return
        known = self._versions.get(message.subject, 0)
        if version <= known:
            return  # a repeat
        if version > known + 1:
            self._findings.add(Law.VERSIONS, message.subject, f"version {version} follows version {known}")
        self._versions[message.subject] = version
        if is_counted:
            self.message_count += 1
            self._recount.take_fact(message)

    def _check_alarm(self, message: Message, alarm: ClockAlarm) -> None:
        step = f"{alarm.clock.value}, due {alarm.due_at.isoformat()}, at {alarm.minutes} minutes"
        if not _is_new(f"{message.subject} {step}", self._alarms):
            self._findings.add(Law.ALARMS, message.subject, f"fired again: {step}")

    def take_notice(self, message: Message, *, is_counted: bool = True) -> None:
        if is_counted and _is_new(message.id, self._notices):
            self.notice_count += 1
            self._recount.take_notice(message)


def _is_new(message_id: str, known: set[str]) -> bool:
    if message_id in known:
        return False
    known.add(message_id)
    return True
