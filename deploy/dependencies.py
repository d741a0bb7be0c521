"""What is locked, and how far each of it reaches: into the images of the services, to the tools, or no further.

The lock says versions and hashes; what needs what, the installed packages say themselves. Conditions are taken as on
the machine that the image is: everybody gets the same lists, whatever they work on.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
LOCK = REPOSITORY / "requirements.lock"
OURS = "linework-"
ROOTS = tuple(sorted(f"{OURS}{file.parent.name}" for file in REPOSITORY.glob("services/*/pyproject.toml")))
TOOLS = f"{OURS}tools"
_THERE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
_LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+)(?: ;[^\\\n]*)?((?: \\\n +--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)


class Part(StrEnum):
    """How far a package reaches."""

    IMAGE = "in the images of the services"
    TOOLS = "in the linework command and the servers of one machine"
    DEVELOPMENT = "in tests, style and builds"


@dataclass(frozen=True, slots=True)
class Locked:
    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of each file in which it is distributed; one of them is installed."""


class NotInstalled(Exception):
    """What something needs is not there, so nobody can say what it needs in turn."""


def read_lock(text: str) -> dict[str, Locked]:
    """By name, every package that is locked."""
    found = {
        name: Locked(name, version, tuple(re.findall(r"sha256:([0-9a-f]{64})", hashes)))
        for name, version, hashes in _LOCKED.findall(text)
    }
    wanted = set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))
    assert set(found) == wanted, f"lines of the lock are not understood: {sorted(wanted - set(found))}"
    return found


def locked() -> dict[str, Locked]:
    return read_lock(LOCK.read_text(encoding="utf-8"))


def installed(folder: Path | None = None) -> dict[str, Distribution]:
    """By name, what is installed: in this environment, or in a folder of packages."""
    found = distributions(path=[str(folder)]) if folder else distributions()
    return {canonicalize_name(one.metadata["Name"]): one for one in reversed([*found])}


def needs_of(distribution: Distribution, extras: Iterable[str] = ()) -> list[Requirement]:
    """What it needs in an image, with these extras of it."""
    asked = ["", *extras]
    return [
        requirement
        for requirement in map(Requirement, distribution.requires or [])
        if requirement.marker is None or any(requirement.marker.evaluate(_THERE | {"extra": extra}) for extra in asked)
    ]


def closure(roots: Iterable[str], there: Mapping[str, Distribution]) -> dict[str, set[str]]:
    """By name, everything that the roots need, themselves included, and what each needs directly."""
    extras: dict[str, set[str]] = {}
    needs: dict[str, set[str]] = {}
    waiting: list[tuple[str, set[str]]] = [(root, set()) for root in roots]
    while waiting:
        name, asked = waiting.pop()
        if name in extras and asked <= extras[name]:
            continue
        if name not in there:
            raise NotInstalled(f"{name} is needed and not installed; run `make install`")
        extras[name] = extras.get(name, set()) | asked
        found = needs_of(there[name], extras[name])
        needs[name] = {canonicalize_name(one.name) for one in found}
        waiting += [(canonicalize_name(one.name), set(one.extras)) for one in found]
    return needs


@cache
def parts() -> dict[str, Part]:
    """By name, every locked package and how far it reaches."""
    there = installed()
    image, tools = closure(ROOTS, there), closure([TOOLS], there)
    return {
        name: Part.IMAGE if name in image else Part.TOOLS if name in tools else Part.DEVELOPMENT for name in locked()
    }
