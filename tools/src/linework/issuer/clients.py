"""The programs that people may sign in to. All are public: they have no secret, and prove themselves by PKCE."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from linework.stopped import Stopped

CONSOLE_OFFSET = 9
"""Distance of the console's port from the issuer's."""
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_LAST_PORT = 65_535
_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\])):([1-9][0-9]{0,4})(/.*)")


@dataclass(frozen=True, slots=True)
class Client:
    id: str
    redirects: frozenset[str]
    """Addresses that a code is sent to, compared whole."""
    sign_outs: frozenset[str] = frozenset()
    """Addresses that a person is sent to after signing out, compared whole."""
    has_any_port: bool = False
    """A native app listens on whatever port is free, so only its port may differ (RFC 8252 §7.3)."""

    def may_redirect_to(self, address: str) -> bool:
        if address in self.redirects:
            return True
        found = _PORT.fullmatch(address) if self.has_any_port else None
        return found is not None and int(found[2]) <= _LAST_PORT and found[1] + found[3] in self.redirects


NATIVE = Client("linework-native", frozenset({"http://127.0.0.1/callback", "http://[::1]/callback"}), has_any_port=True)


def console_redirects(issuer_port: int) -> str:
    port = issuer_port + CONSOLE_OFFSET
    return f"http://127.0.0.1:{port}/callback http://localhost:{port}/callback"


def registered(redirects: str) -> Mapping[str, Client]:
    """All clients by id; the console has these redirect addresses, separated by spaces."""
    addresses = frozenset(redirects.split())
    if wrong := [address for address in addresses if not _is_on_loopback(address)]:
        raise Stopped(f"LINEWORK_CONSOLE_REDIRECTS: {', '.join(sorted(wrong))} is not an address on loopback.")
    sign_outs = frozenset("{0.scheme}://{0.netloc}/".format(urlsplit(address)) for address in addresses)
    return {client.id: client for client in (Client("linework-console", addresses, sign_outs), NATIVE)}


def _is_on_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    has_more = parts.username is not None or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK_HOSTS and not has_more
