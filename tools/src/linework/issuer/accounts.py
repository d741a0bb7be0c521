"""Who can sign in: the staff of `linework reference load`, under their ids there, and people of the other roles.

The other ids are those of `linework token`, so that a person has the same orders whichever way they come in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.access import Role
from linework.reference_data import WORK_AREAS

ROLE_NAMES: Mapping[Role, tuple[str, str]] = {
    Role.AGENT: ("坐席", "Agents"),
    Role.DISPATCHER: ("调度员", "Dispatchers"),
    Role.TECHNICIAN: ("维修人员", "Repair staff"),
    Role.AUDITOR: ("审核员", "Auditors"),
    Role.SUPERVISOR: ("主管", "Supervisors"),
    Role.OPERATOR: ("运维人员", "Operators"),
}
"""In the order of the page. Partners and displays are no people: they get tokens by `linework token`."""

_EVERYWHERE: Mapping[Role, tuple[str, ...]] = {
    Role.AGENT: ("林晓燕", "何静"),
    Role.DISPATCHER: ("马俊",),
    Role.AUDITOR: ("郭敏", "罗伟"),
    Role.SUPERVISOR: ("梁文博",),
    Role.OPERATOR: ("宋洁",),
}
_DISPATCHERS = {"north": "胡海燕", "south": "谢军", "east": "韩雪", "west": "唐波"}


@dataclass(frozen=True, slots=True)
class Account:
    sub: str
    name: str
    role: Role
    area: str | None = None
    """The one work area that they work in; None: all."""


def _people() -> Iterator[Account]:
    for role, names in _EVERYWHERE.items():
        for number, name in enumerate(names, start=1):
            yield Account(f"{role}-{number}", name, role)
    for area_id, area in WORK_AREAS.items():
        yield Account(f"dispatcher-{area_id}", _DISPATCHERS[area_id], Role.DISPATCHER, area_id)
        for number, name in enumerate(area.staff, start=1):
            yield Account(f"{area_id}-{number}", name, Role.TECHNICIAN, area_id)


ACCOUNTS: Mapping[str, Account] = {person.sub: person for person in _people()}
