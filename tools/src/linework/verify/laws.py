"""Folds the whole stream and reports violated invariants.

Memory per order is small: its state as compressed JSON, the hash of its last event, and a few bytes per event to tell
a repeat from a second event with the same version. After a violation an order is not folded further: all its later
events would be reported for the same cause.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from contracts.catalogue import CATALOGUE, MessageKind
from contracts.chain import GENESIS, event_hash
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.order import CannotApply, WorkOrder, apply
from contracts.requests import WorkOrderRequest, WorkOrderRequestRefused

_ORDER = msgspec.json.Decoder(WorkOrder)
_MOST_KEPT = 1000
_ID_BYTES = 8
_TYPES = {
    entry.type: place for place, entry in enumerate((e for e in CATALOGUE if e.kind is MessageKind.EVENT), start=1)
}

Witness = Callable[[WorkOrder | None, Message, WorkOrder], None]
"""Called with every event that reporting applied: the order before it, the event, the order after it."""


class Law(StrEnum):
    """What is checked, in the order of the report."""

    VERSIONS = "versions 1..n of each order, none missing, none twice"
    CHAIN = "each event carries the hash of the one before"
    CUSTODIAN = "each event is written by the custodian of the status before it"
    STEPS = "each event follows the table of steps"
    REQUESTS = "each request is answered exactly once"
    STATES = "each service's orders are the fold of the stream"
    RECORD = "reporting keeps every message once"
    ALARMS = "each alarm of a due time fires once"
    FIGURES = "figures equal a recount"
    OUTBOXES = "outboxes are empty and consumers have read everything"
    PARKED = "nothing is parked"
    JOURNAL = "what was acknowledged is in the stream"


@dataclass(frozen=True, slots=True)
class Violation:
    law: Law
    where: str
    """The order, request or service that it is about."""
    what: str


@dataclass(slots=True)
class Findings:
    """Violations by law: all are counted, the first thousand are kept."""

    counts: dict[Law, int] = field(default_factory=dict)
    kept: list[Violation] = field(default_factory=list)

    def add(self, law: Law, where: str, what: str) -> None:
        self.counts[law] = self.counts.get(law, 0) + 1
        if len(self.kept) < _MOST_KEPT:
            self.kept.append(Violation(law, where, what))

    @property
    def count(self) -> int:
        return sum(self.counts.values())


@dataclass(slots=True)
class Thread:
    """One order's part of the stream, as far as it was read."""

    version: int = 0
    last_hash: str = GENESIS
    order: WorkOrder | None = None
    packed: bytes | None = None
    """In place of `order` while the order rests."""
    ids: bytearray = field(default_factory=bytearray)
    """Eight bytes of each event's id, to know a repeat from a second event in its place."""
    types: bytearray = field(default_factory=bytearray)
    is_broken: bool = False

    def state(self) -> WorkOrder | None:
        if self.packed is not None:
            return _ORDER.decode(zlib.decompress(self.packed))
        return self.order

    def pack(self) -> None:
        if self.order is not None:
            self.packed, self.order = zlib.compress(msgspec.json.encode(self.order), 1), None

    def wake(self) -> None:
        if self.packed is not None:
            self.order, self.packed = self.state(), None

    def has_event(self, version: int, event_type: str) -> bool:
        return 0 < version <= self.version and self.types[version - 1] == _TYPES.get(event_type, 0)


@dataclass(slots=True)
class RequestTrail:
    order_id: str
    is_asked: bool = False
    answers: set[str] = field(default_factory=set)
    """Ids of the messages that answer it; a message that was delivered twice is one answer."""


class Ledger:
    """Takes the messages of the stream in the order of each key."""

    def __init__(self, findings: Findings, witness: Witness | None = None) -> None:
        self.findings = findings
        self.threads: dict[str, Thread] = {}
        self.requests: dict[str, RequestTrail] = {}
        self.event_count = 0
        self.repeat_count = 0
        self._uncounted = 0
        self._witness = witness
        self._other_ids: set[bytes] = set()
        self._awake: set[str] = set()

    @property
    def message_count(self) -> int:
        """Distinct messages: events, requests, refusals, and those of an unknown type."""
        return self.event_count + len(self._other_ids)

    @property
    def counted_message_count(self) -> int:
        """Those of them that reporting has not parked."""
        return self.message_count - self._uncounted

    @property
    def broken_count(self) -> int:
        return sum(thread.is_broken for thread in self.threads.values())

    def take(self, message: Message, *, is_counted: bool = True) -> None:
        """`is_counted` is false for records that reporting has parked: they are checked, and not recounted."""
        if message.order_version is not None:
            self._take_event(message, message.order_version, is_counted)
            return
        short = _short(message.id)
        if short not in self._other_ids:
            self._other_ids.add(short)
            self._uncounted += not is_counted
        if isinstance(message.body, WorkOrderRequest):
            self._request(message.body.request_id, message.subject).is_asked = True
        elif isinstance(message.body, WorkOrderRequestRefused):
            self._request(message.body.request_id, message.subject).answers.add(message.id)

    def _request(self, request_id: str, order_id: str) -> RequestTrail:
        return self.requests.setdefault(request_id, RequestTrail(order_id))

    def _take_event(self, message: Message, version: int, is_counted: bool) -> None:
        thread = self.threads.setdefault(message.subject, Thread())
        if thread.is_broken:
            return
        if version <= thread.version:
            self._take_repeat(thread, message, version)
            return
        thread.wake()
        before, fault = thread.order, _fault(thread, message)
        try:
            after = apply(before, message)
        except CannotApply as error:
            fault = fault or (Law.STEPS, f"version {version} cannot follow: {error}")
        if fault is not None:
            thread.is_broken = True
            self.findings.add(fault[0], message.subject, fault[1])
            return
        thread.order = after
        thread.version += 1
        thread.last_hash = event_hash(message)
        thread.ids += _short(message.id)
        thread.types.append(_TYPES.get(message.type, 0))
        self._awake.add(message.subject)
        self.event_count += 1
        self._uncounted += not is_counted
        request_id = getattr(message.body, "request_id", None)
        if request_id is not None:
            self._request(request_id, message.subject).answers.add(message.id)
        if self._witness is not None and is_counted:
            self._witness(before, message, after)

    def _take_repeat(self, thread: Thread, message: Message, version: int) -> None:
        place = (version - 1) * _ID_BYTES
        if thread.ids[place : place + _ID_BYTES] == _short(message.id):
            self.repeat_count += 1
            return
        self.findings.add(
            Law.VERSIONS, message.subject, f"two different events have version {version} ({message.type})"
        )

    def rest(self) -> None:
        """Compacts the orders in memory; call it from time to time, and at the end of a partition."""
        for order_id in self._awake:
            self.threads[order_id].pack()
        self._awake.clear()

    @property
    def awake_count(self) -> int:
        return len(self._awake)

    def check_requests(self) -> None:
        """To be called when everything is read."""
        for request_id, request in self.requests.items():
            where = f"request {request_id} of order {request.order_id}"
            if not request.is_asked:
                self.findings.add(Law.REQUESTS, where, "was answered and never asked")
            if not request.answers:
                self.findings.add(Law.REQUESTS, where, "was never answered")
            elif len(request.answers) > 1:
                self.findings.add(Law.REQUESTS, where, f"has {len(request.answers)} answers")

    def check_journal(self, acknowledged: Iterable[tuple[str, int, str]]) -> int:
        """Compares acknowledged changes (order, version, event type) with the stream; returns how many."""
        count = 0
        for order_id, version, event_type in acknowledged:
            count += 1
            thread = self.threads.get(order_id)
            if thread is None or not thread.has_event(version, event_type):
                self.findings.add(Law.JOURNAL, order_id, f"version {version}, {event_type}, is not in the stream")
        return count


def _fault(thread: Thread, message: Message) -> tuple[Law, str] | None:
    """Why the event cannot follow; None if it can."""
    version = message.order_version
    if version != thread.version + 1:
        return Law.VERSIONS, f"version {version} follows version {thread.version}"
    if message.prev_hash != thread.last_hash:
        return Law.CHAIN, f"version {version} does not carry the hash of the event before it"
    holder = thread.order.custodian if thread.order else Service.INTAKE
    if message.service != holder:
        return Law.CUSTODIAN, f"version {version} is by {message.service}; {holder or 'no service'} holds the order"
    return None


def _short(message_id: str) -> bytes:
    return hashlib.blake2b(message_id.encode(), digest_size=_ID_BYTES).digest()
