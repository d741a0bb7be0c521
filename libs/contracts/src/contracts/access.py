"""Access control: roles, their reach, and how both are read.

Each service lists in its `access.ROUTES` who may use its routes. A role without a grant for a route is refused there; a
route without a row is not served: the service does not start. The chassis enforces it before a route runs
(`chassis.guard`), `docs/access.md` prints it, and `tests/access` requests every route in every role.

To add a route, add a row: `"POST /v1/things/{thing_id}/mend": {AGENT: EVERY_AREA},`. The roles of a row stand in
order of precedence: a caller with several roles acts in the first that reaches an area.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """The roles that a token can have; other values in its `roles` are ignored."""

    AGENT = "agent"
    DISPATCHER = "dispatcher"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    PARTNER = "partner"
    DISPLAY = "display"
    """A screen on a wall: it shows the wallboard and can do nothing else."""


class Reach(StrEnum):
    """Which work areas a role reaches through a route."""

    EVERY_AREA = "every area"
    """Every work area, or those only that the token names."""
    OWN_AREAS = "own areas"
    """The work areas that the token names; nothing without any."""
    WHOLE = "the whole"
    """What cannot be divided by work area; refused to a token that names areas."""
    NO_AREA = "no area"
    """What belongs to no work area: the same for every caller with the role."""
    SELF = "own"
    """What is the caller's own, by the token's subject; within the areas that the token names, if it names any."""


AGENT, DISPATCHER, TECHNICIAN, AUDITOR = Role.AGENT, Role.DISPATCHER, Role.TECHNICIAN, Role.AUDITOR
SUPERVISOR, OPERATOR, PARTNER, DISPLAY = Role.SUPERVISOR, Role.OPERATOR, Role.PARTNER, Role.DISPLAY
EVERY_AREA, OWN_AREAS, WHOLE, NO_AREA, SELF = Reach

Grants = Mapping[Role, Reach]
"""Who may use a route, and how far they reach."""

PUBLIC = None
"""Without a token: only for data that concern no person."""


AccessTable = Mapping[str, Grants | None]
"""Routes as `METHOD path`, each with its grants or `PUBLIC`."""


def each(reach: Reach, *roles: Role) -> Grants:
    """The same reach for all these roles."""
    return dict.fromkeys(roles, reach)


STAFF = (AGENT, DISPATCHER, TECHNICIAN, AUDITOR, SUPERVISOR, OPERATOR)
REFERENCE_READERS = each(NO_AREA, *STAFF)
REFERENCE_EDITORS = each(WHOLE, OPERATOR, SUPERVISOR)
OPERATORS = each(WHOLE, OPERATOR)
OVERSEERS = each(WHOLE, OPERATOR, SUPERVISOR)


def role_in(grants: Grants, roles: frozenset[str], areas: tuple[str, ...] | None) -> Role | None:
    """The role that a caller acts in: the first granted role that reaches anything, else the first granted, or None.

    `areas` are those that the token names; None when it names none.
    """
    granted = [role for role in grants if role in roles]
    return next((role for role in granted if reaches(grants[role], areas)), next(iter(granted), None))


def reaches(reach: Reach, areas: tuple[str, ...] | None) -> bool:
    """Whether a token that names these areas gets at anything at all."""
    return areas is None if reach is WHOLE else bool(areas) if reach is OWN_AREAS else True


def scope_of(reach: Reach, areas: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The work areas that are reached by a token that names `areas`; None is every one."""
    return () if reach is OWN_AREAS and areas is None else areas
