"""Which claims of a token name the caller, their roles and their areas.

Identity providers put roles in different places, so the names of the claims are settings (docs/oidc.md). A claim that
is absent is read as documented. A claim that is present and null is refused: read as "every area", a mapping of the
provider that found nothing would open everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_TEXT = 200
_MOST_TEXTS = 1000
_LAST_MOMENT = 253_402_300_799  # the end of the year 9999
_ABSENT = object()


class ClaimInvalid(ValueError):
    """A claim has the wrong type; `reason` is one of `chassis.auth`'s reasons."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, as the token states it."""

    sub: str
    name: str
    roles: frozenset[str] | None
    """None: the token has no claim of roles."""
    areas: tuple[str, ...] | None
    """The areas that the token is limited to; None: every area."""
    token: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Claims:
    """The names of the claims; each is the name of a claim, or else a dotted path into claims that are objects."""

    roles: str = "roles"
    areas: str = "areas"
    name: str = "name"
    absent_areas: tuple[str, ...] | None = None
    """What a token without the claim of areas reaches: every area, or with an empty tuple none."""
    role_map: Mapping[str, str] = field(default_factory=dict)
    """The provider's role names and ours. If it has entries, a role that it does not list grants nothing."""

    def principal(self, token: str, claims: Mapping[str, Any]) -> Principal:
        """The principal of a verified token; raises `ClaimInvalid`."""
        areas = _found(claims, self.areas, "areas")
        return Principal(
            sub=_required(claims["sub"], _is_name, "sub"),
            name=self._name(claims),
            roles=self._roles(claims),
            areas=(
                self.absent_areas if areas is _ABSENT else tuple(dict.fromkeys(_required(areas, _are_names, "areas")))
            ),
            token=token,
            expires_at=float(_required(claims["exp"], _is_moment, "claims")),
        )

    def _name(self, claims: Mapping[str, Any]) -> str:
        name = _found(claims, self.name, "name")
        if name is _ABSENT:
            name = claims.get("preferred_username", "")
        return str(_required(name, _is_text, "name"))

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        roles = _found(claims, self.roles, "roles")
        if roles is _ABSENT:
            return None
        # ZITADEL: an object of the roles' names, each with the organisations that grant it.
        if isinstance(roles, dict) and all(isinstance(granted_by, dict) for granted_by in roles.values()):
            roles = list(roles)
        names = _required(roles, _are_texts, "roles")
        return frozenset(self.role_map.get(name, "") for name in names) - {""} if self.role_map else frozenset(names)


STANDARD_CLAIMS = Claims()


def _found(claims: Mapping[str, Any], path: str, reason: str) -> Any:
    """The value at a path, or `_ABSENT`. The whole path is tried as a name first: namespaced claims are addresses."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in path.split("."):
        if not isinstance(value, dict):
            raise ClaimInvalid(reason)
        if step not in value:
            return _ABSENT
        value = value[step]
    return value


def _required(value: Any, is_right: Any, reason: str) -> Any:
    if not is_right(value):
        raise ClaimInvalid(reason)
    return value


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value <= _LAST_MOMENT


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable()


def _is_name(value: object) -> bool:
    return _is_text(value) and bool(str(value).strip())


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_TEXTS and all(_is_text(item) for item in value)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and _are_texts(value) and all(_is_name(item) for item in value)
