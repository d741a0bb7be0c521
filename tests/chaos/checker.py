"""The history held against the stream: what clients were told is what happened, once, and nothing else did.

`linework verify` holds the installation to its laws from the inside; this looks from the clients' side.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.history import Command, History, Told

from contracts.message import Message
from contracts.requests import WorkOrderRequest, WorkOrderRequestRefused
from linework.verify.stream import TopicSource

_REQUESTS = WorkOrderRequest


@dataclass(slots=True)
class Report:
    """What was checked, how much of it, and what was found."""

    checked: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def check(self, what: str, count: int, faults: Iterable[str]) -> None:
        self.checked[what] = self.checked.get(what, 0) + count
        self.faults += [f"{what}: {fault}" for fault in faults]


class Messages:
    """Everything in the topic, each message once, in the order of each key (what `verify` calls a ledger)."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._ids: set[str] = set()

    def take(self, message: Message) -> None:
        if message.id not in self._ids:
            self._ids.add(message.id)
            self.messages.append(message)

    take_notice = take

    def rest(self) -> None:
        """Nothing is packed here."""


async def read_stream(bootstrap_servers: str, prefix: str = "") -> list[Message]:
    """Everything in `work-orders`."""
    found, of_calls = Messages(), Messages()
    await TopicSource(bootstrap_servers, prefix).read_on(found, of_calls)  # type: ignore[arg-type]
    return found.messages


def is_in_the_stream(command: Command) -> bool:
    """Whether it leaves a message: subscribers stay in intake."""
    return command.path.startswith("/v1/work-orders")


def check_history(history: History, messages: Sequence[Message], report: Report) -> None:
    roots: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        # What a custodian answers or forwards carries the correlation of what caused it.
        if message.correlation_id and message.causation_id is None:
            roots[message.correlation_id].append(message)
    commands = [command for command in history.commands.values() if is_in_the_stream(command)]
    acknowledged = [command for command in commands if command.is_acknowledged]
    refused = [command for command in commands if command.is_refused]
    report.check(
        "each acknowledged act is in the stream once, as it was answered",
        len(acknowledged),
        (fault for command in acknowledged if (fault := _fault_of_yes(command, roots[command.key]))),
    )
    report.check(
        "a refused act left nothing",
        len(refused),
        (f"{_name(command)} was answered {command.status} and is there" for command in refused if roots[command.key]),
    )
    others = [command for command in commands if not command.is_acknowledged and not command.is_refused]
    report.check(
        "an act without an answer is there once or not at all",
        len(others),
        (
            f"{_name(command)} is there {len(roots[command.key])} times"
            for command in others
            if len(roots[command.key]) > 1
        ),
    )
    report.check(
        "every event in the stream was asked for",
        len(messages),
        (
            f"{message.type} of {message.subject}"
            for message in messages
            if message.correlation_id not in history.commands
        ),
    )
    report.check("two people never get the same version", len(acknowledged), _shared_versions(acknowledged))
    twice = sum(command.sent_twice for command in history.commands.values())
    report.check("the same command sent twice at once has one answer", twice, history.differing_answers)
    report.check("what was told of a request is its answer", len(history.told), _wrong_tales(history.told, messages))


def _name(command: Command) -> str:
    return f"POST {command.path} on version {command.version}, key {command.key},"


def _fault_of_yes(command: Command, roots: Sequence[Message]) -> str | None:
    if len(roots) != 1:
        return f"{_name(command)} was acknowledged and is there {len(roots)} times"
    root, answer = roots[0], command.answer
    if isinstance(root.body, _REQUESTS):
        if root.body.request_id != answer["id"]:
            return f"{_name(command)} was told request {answer['id']}; the stream has {root.body.request_id}"
        return None
    if "version" not in answer:
        return None if root.id == answer["id"] else f"{_name(command)} was told fact {answer['id']}; it is {root.id}"
    # Reports need no version, and a decision stands behind reports that came in between.
    if answer["version"] <= (command.version or 0):
        return f"{_name(command)} was answered with version {answer['version']}"
    told = (answer["id"], answer["version"])
    if (root.subject, root.order_version) != told:
        return f"{_name(command)} was told version {told[1]} of {told[0]}; the stream has {root.order_version}"
    return None


def _shared_versions(acknowledged: Sequence[Command]) -> Iterable[str]:
    holders: dict[tuple[str, int], str] = {}
    for command in acknowledged:
        if "version" not in command.answer:
            continue
        place = command.answer["id"], command.answer["version"]
        if place in holders:
            yield f"version {place[1]} of {place[0]} was given to {holders[place]} and to {command.key}"
        holders[place] = command.key


def _wrong_tales(told: Sequence[Told], messages: Sequence[Message]) -> Iterable[str]:
    answers: dict[str, str] = {}
    for message in messages:
        request_id = getattr(message.body, "request_id", None)
        if request_id is not None and not isinstance(message.body, _REQUESTS):
            answers[request_id] = "refused" if isinstance(message.body, WorkOrderRequestRefused) else "granted"
    for tale in told:
        answer = answers.get(tale.request_id)
        if tale.state not in ("pending", answer):
            yield f"request {tale.request_id} was told to be {tale.state}; the stream says {answer}"
