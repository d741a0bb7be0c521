"""TLS to a server, with certificates from files that may be replaced while the process runs.

Certificates that live for days are renewed by a program beside the process (cert-manager, Strimzi, Vault). A connection
that is made after that presents the new ones; those that stand are left alone.
"""

import logging
import os
import ssl
from dataclasses import dataclass
from typing import Any, Self

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files; an empty name is left out."""

    ca_file: str = ""
    """Who may have signed the server's certificate; without it whoever the system trusts."""
    certificate_file: str = ""
    """Our own, with those between it and its root."""
    key_file: str = ""
    key_password: str = ""

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Changes whenever a file is replaced. Raises `OSError`."""
        found = [os.stat(name) for name in (self.ca_file, self.certificate_file, self.key_file) if name]
        return tuple((file.st_mtime_ns, file.st_ino) for file in found)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Raises `OSError`, which `ssl.SSLError` is too."""
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        if self.certificate_file:
            # With a password given, even an empty one, OpenSSL never asks for it on a terminal.
            context.load_cert_chain(self.certificate_file, self.key_file, self.key_password)

    def fault(self) -> str | None:
        """Why they cannot be used, or None."""
        try:
            self.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except ssl.SSLError as error:
            return f"no certificate or key that can be used ({error.reason or error.__class__.__name__})"
        except OSError as error:
            return f"{error.strerror or error.__class__.__name__}"
        return None


class ClientContext(ssl.SSLContext):
    """Checks the server's name and certificate, and looks at its files before each connection."""

    _certificates: Certificates
    _stamp: tuple[tuple[int, int], ...]

    def __new__(cls, certificates: Certificates) -> Self:
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags = ssl.create_default_context(cafile=certificates.ca_file or None).verify_flags
        if not certificates.ca_file:
            context.load_default_certs()
        context._certificates = certificates
        context._stamp = certificates.stamp()
        certificates.load_into(context)
        return context

    # What asyncio and uvloop begin a connection with.
    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        self._reload()
        return super().wrap_bio(*arguments, **named)

    def _reload(self) -> None:
        try:
            stamp = self._certificates.stamp()
            if stamp == self._stamp:
                return
            # A half of a new pair must not take the place of the old one.
            if (fault := self._certificates.fault()) is None:
                self._certificates.load_into(self)
                self._stamp = stamp
                log.info("read the replaced certificates", extra={"file": self._certificates.certificate_file})
            else:
                log.warning("the replaced certificates cannot be used, the former ones stay: %s", fault)
        except OSError as error:
            log.warning("the certificates cannot be read, the former ones stay: %s", error.strerror)
