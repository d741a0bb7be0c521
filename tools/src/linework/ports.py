"""The port of each part of an installation. Everything listens on loopback."""

import atexit
import errno
import socket
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random

from linework.stopped import Stopped

LOOPBACK = "127.0.0.1"
DEFAULT_BASE = 8000
SERVICES = ("intake", "dispatch", "fieldwork", "qa", "reporting")

# Distance of each part's port from the base, so that one number moves a whole installation.
OFFSETS: Mapping[str, int] = {
    "issuer": 0,
    **{service: 1 + place for place, service in enumerate(SERVICES)},
    "postgres": 6,
    "kafka": 7,
    "kafka_controller": 8,
    **{f"{service}_worker": 11 + place for place, service in enumerate(SERVICES)},
}

# Below the range from which the system takes ports for outgoing connections: one of those could take a port between
# its choice and the server's start.
_BLOCKS = (10_000, 32_700)
_BLOCK_SIZE = 100
# A process listens on the first port of each of its blocks, so that no other one takes the block.
_reservations: list[socket.socket] = []


@atexit.register
def _give_back() -> None:
    for reservation in _reservations:
        reservation.close()


def setting_of(part: str) -> str:
    """The environment variable that sets the port of one part."""
    return f"LINEWORK_{part.upper()}_PORT"


def read_ports(base: int | None, environ: Mapping[str, str]) -> dict[str, int]:
    """All ports of an installation: from the base, or each from its own variable."""
    if base is None:
        base = _number("LINEWORK_PORT_BASE", environ.get("LINEWORK_PORT_BASE") or DEFAULT_BASE)
    ports = {
        part: _number(setting_of(part), environ.get(setting_of(part)) or base + offset)
        for part, offset in OFFSETS.items()
    }
    _refuse_sharing(ports)
    return ports


def _number(setting: str, value: str | int) -> int:
    try:
        port = int(value)
    except ValueError:
        raise Stopped(f"{setting} must be a port number, not {value!r}.") from None
    if not 1 <= port <= 65535:
        raise Stopped(f"{setting} gives port {port}, which is not between 1 and 65535.")
    return port


def _refuse_sharing(ports: Mapping[str, int]) -> None:
    seen: dict[int, str] = {}
    for part, port in ports.items():
        if port in seen:
            raise Stopped(f"Port {port} is given to both {seen[port]} and {part}; change {setting_of(part)}.")
        seen[port] = part


def free_port() -> int:
    """A port that nothing listens on; never the same twice, also across processes that use this function."""
    while True:
        port = next(_own_ports())
        if is_free(port):
            return port


@cache
def _own_ports() -> Iterator[int]:
    """The ports of blocks that this process reserves for its lifetime."""
    blocks = list(range(*_BLOCKS, _BLOCK_SIZE))
    Random().shuffle(blocks)
    for first in blocks:
        reservation = socket.socket()
        try:
            reservation.bind((LOOPBACK, first))
            reservation.listen()
        except OSError:
            reservation.close()
            continue
        _reservations.append(reservation)
        yield from range(first + 1, first + _BLOCK_SIZE)
    raise Stopped(f"No port is free between {_BLOCKS[0]} and {_BLOCKS[1]}.")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback at this moment."""
    with socket.socket() as probe:
        # As servers do: a connection that lingers in TIME_WAIT does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def is_listening(port: int, seconds: float = 1.0) -> bool:
    """Whether a server accepts connections on this port of loopback."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=seconds).close()
    except OSError:
        return False
    return True


def refuse_taken_ports(ports: Mapping[str, int]) -> None:
    """Raises `Stopped`, before anything is started, if another process has a port."""
    for part, port in ports.items():
        if not is_free(port):
            raise Stopped(
                f"Port {port} for {part} is taken{_by_process(port)}; stop that, set {setting_of(part)}, "
                "or move all ports with --port-base."
            )


def _by_process(port: int) -> str:
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                command = " ".join(psutil.Process(connection.pid).cmdline())[:80]
                return f" by process {connection.pid} ({command})"
    except psutil.Error:  # the processes of other users are not visible
        pass
    return ""
