"""Addresses as a client has to write them: behind the prefix of a gateway, where the service stands behind one."""

from urllib.parse import quote

from starlette.types import Scope

_AS_IT_IS = "/:@!$&'()*+,;=~-._"


def place_behind(root_path: str, scope: Scope) -> None:
    """From here on the request's path is that of the service, whether the gateway took its prefix away or left it."""
    scope["root_path"] = root_path
    if root_path and scope["path"].startswith(f"{root_path}/"):
        scope["path"] = scope["path"].removeprefix(root_path)


def address_of(scope: Scope, path: str | None = None) -> str:
    """This path of the service, or that of the request, as a relative reference (RFC 3986)."""
    return quote(scope.get("root_path", "") + (scope["path"] if path is None else path), safe=_AS_IT_IS)


def query_of(text: str) -> str:
    """A query string that can stand in a header: what is no character of an address is escaped."""
    return quote(text, safe=f"%?{_AS_IT_IS}")
