"""What clients asked for and what they were told: in memory for the checker, and line by line in a file.

Every command carries its Idempotency-Key as correlation id too, so that whatever came of it is found in the stream.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from linework.client import NotReached, Person, Refused, ServiceClients
from linework.client_service import ServiceClient

_ASKED_TWICE = 0.05
"""How often a client sends a command twice at once, as a double click or an impatient proxy does."""


@dataclass(slots=True)
class Command:
    """One command of one client, however often it was sent."""

    key: str
    service: str
    path: str
    body: Any
    by: Person
    version: int | None
    status: int | None = None
    """Of the final answer; None when there never was one."""
    answer: Mapping[str, Any] = field(default_factory=dict)
    sent_twice: bool = False

    @property
    def is_acknowledged(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def is_refused(self) -> bool:
        """A no that says that nothing was done."""
        return self.status is not None and 400 <= self.status < 500


@dataclass(frozen=True, slots=True)
class Told:
    """What a client was told of a request."""

    request_id: str
    state: str


class History:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.commands: dict[str, Command] = {}
        self.told: list[Told] = []
        self.differing_answers: list[str] = []
        """The same command sent twice at once, answered in two ways."""
        self._lines = file.open("a", buffering=1)

    def close(self) -> None:
        self._lines.close()

    def note(self, kind: str, **what: Any) -> None:
        # Line by line: what was acknowledged must be known even when this process is killed.
        self._lines.write(json.dumps({"at": round(time.time(), 3), "what": kind, **what}, ensure_ascii=False) + "\n")

    @property
    def acknowledged(self) -> list[Command]:
        return [command for command in self.commands.values() if command.is_acknowledged]

    def watch(self, client: ServiceClients, seed: int, *, asked_twice: float = _ASKED_TWICE) -> None:
        """Everything that is asked of this installation by this client is noted from here on."""
        for name, service in client.services.items():
            _Watched(self, name, service, Random(f"{seed} {name}"), asked_twice)

    def asked(self, command: Command) -> None:
        self.commands[command.key] = command
        self.note(
            *("asked",),
            key=command.key,
            service=command.service,
            path=command.path,
            by=command.by.sub or command.by.role,
            version=command.version,
        )

    def answered(self, command: Command, status: int | None, body: Mapping[str, Any]) -> None:
        command.status, command.answer = status, body
        told = {name: body[name] for name in ("id", "version", "status", "state", "code") if name in body}
        self.note("answered", key=command.key, http=status, **{f"its_{name}": value for name, value in told.items()})


class _Watched:
    """One service of a client, with its `call` and its headers looked at on their way."""

    def __init__(self, history: History, name: str, service: ServiceClient, random: Random, asked_twice: float) -> None:
        self._history = history
        self._name = name
        self._random = random
        self._asked_twice = asked_twice
        self._call = service.call
        self._headers = service._headers
        service.call = self.call  # type: ignore[method-assign]
        service._headers = self.headers  # type: ignore[method-assign]
        self._role = service.role

    async def headers(self, person: Person, has_body: bool, version: int | None, key: str | None) -> dict[str, str]:
        headers = await self._headers(person, has_body, version, key)
        return headers | ({"x-correlation-id": key} if key else {})

    async def call(
        self, method: str, path: str, body: Any = None, *, by: Person | None = None, **more: Any
    ) -> httpx.Response:
        person = by or Person(self._role)
        if more.get("key") is None:
            answer = await self._call(method, path, body, by=person, **more)
            self._note_told(path, answer)
            return answer
        command = Command(more["key"], self._name, path, body, person, more.get("version"))
        self._history.asked(command)
        sending = [self._call(method, path, body, by=person, **more)]
        if self._random.random() < self._asked_twice:
            command.sent_twice = True
            sending.append(self._call(method, path, body, by=person, **more))
        answers = await asyncio.gather(*sending, return_exceptions=True)
        self._compare(command, answers)
        return self._settle(command, answers[0])

    def _settle(self, command: Command, answer: httpx.Response | BaseException) -> httpx.Response:
        if isinstance(answer, Refused):
            self._history.answered(command, answer.status, answer.problem)
        elif isinstance(answer, NotReached):
            self._history.answered(command, None, {})
        elif isinstance(answer, httpx.Response):
            self._history.answered(command, answer.status_code, answer.json())
            return answer
        assert isinstance(answer, BaseException)
        raise answer

    def _compare(self, command: Command, answers: list[httpx.Response | BaseException]) -> None:
        told = {text for answer in answers if (text := _told(answer)) is not None}
        if len(told) > 1:
            self._history.differing_answers.append(f"{command.path}, key {command.key}: {' and '.join(sorted(told))}")

    def _note_told(self, path: str, answer: httpx.Response) -> None:
        if path.startswith("/v1/requests/"):
            request = answer.json()
            self._history.told.append(Told(request["id"], request["state"]))
            self._history.note("told", request=request["id"], state=request["state"])


def _told(answer: httpx.Response | BaseException) -> str | None:
    if isinstance(answer, Refused):
        return None if answer.status >= 500 else f"{answer.status} {answer.code}"
    if isinstance(answer, httpx.Response):
        return f"{answer.status_code} {hashlib.sha256(answer.content).hexdigest()[:12]}"
    return None
