"""The person for whom a command runs, and the bearer token."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from linework.client_http import send
from linework.stopped import Stopped

_RENEWED_BEFORE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Person:
    """A person with one role; `areas` are their work areas. Without any they see all, repair staff none."""

    role: str
    areas: tuple[str, ...] = ()
    sub: str | None = None
    """`<role>-1` unless it is given."""
    name: str | None = None
    ttl_seconds: int | None = None
    """Lifetime of the token; None: the issuer's default."""


AGENT = Person("agent")
DISPATCHER = Person("dispatcher")
AUDITOR = Person("auditor")
SUPERVISOR = Person("supervisor")
OPERATOR = Person("operator")
DISPLAY = Person("display", ttl_seconds=30 * 24 * 3600)
"""A screen on a wall, where no person signs in every morning."""


def technician(*areas: str, sub: str | None = None, name: str | None = None) -> Person:
    """Repair staff of these work areas."""
    return Person("technician", areas, sub, name)


class Tokens:
    """Tokens of the issuer, one per person, renewed before they expire."""

    def __init__(self, http: httpx.AsyncClient, issuer: str | None, given: Mapping[str, str] | None = None) -> None:
        self.http = http
        self._issuer = issuer
        self._given = given or {}
        self._kept: dict[Person, tuple[str, float]] = {}

    async def authorization(self, person: Person) -> str:
        """The Authorization header; raises `NotReached`, or `Stopped` if there is no token for this role."""
        token, renewed_at = self._kept.get(person, ("", 0.0))
        if time.monotonic() >= renewed_at:
            token, seconds = await self._ask(person)
            # A token with a lifetime shorter than the margin is renewed after half of it.
            margin = min(_RENEWED_BEFORE_SECONDS, seconds / 2)
            self._kept[person] = token, time.monotonic() + seconds - margin
        return f"Bearer {token}"

    async def check(self) -> None:
        """Raises `NotReached` if the issuer does not answer."""
        if self._issuer is not None:
            await self.authorization(OPERATOR)

    async def _ask(self, person: Person) -> tuple[str, float]:
        if person.role in self._given:
            return self._given[person.role], float("inf")
        if self._issuer is None:
            raise Stopped(f"There is no issuer and no LINEWORK_TOKEN_{person.role.upper()} for the role {person.role}.")
        wanted = {"role": person.role, "areas": list(person.areas)}
        optional = {"sub": person.sub, "name": person.name, "ttl_seconds": person.ttl_seconds}
        wanted |= {name: value for name, value in optional.items() if value}
        answer = await send(self.http, "POST", self._issuer, "/token", json=wanted, timeout=10)
        try:
            content = answer.json()
            if answer.status_code == 200:
                return content["access_token"], float(content["expires_in"])
            reason = content["detail"]
        except (ValueError, KeyError, TypeError):
            reason = f"it answered {answer.status_code}"
        raise Stopped(f"The issuer at {self._issuer} refuses a token for a {person.role}: {reason}")
