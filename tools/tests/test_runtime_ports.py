import contextlib
import json
import socket
import subprocess
import sys

import pytest

from linework.ports import LOOPBACK, OFFSETS, free_port, is_free, read_ports, refuse_taken_ports
from linework.stopped import Stopped


def test_one_base_moves_every_port() -> None:
    ports = read_ports(18000, {})
    assert ports == {part: 18000 + offset for part, offset in OFFSETS.items()}
    assert (ports["issuer"], ports["intake"], ports["reporting"], ports["kafka"]) == (18000, 18001, 18005, 18007)


def test_a_port_set_alone_wins_over_the_base() -> None:
    ports = read_ports(None, {"LINEWORK_PORT_BASE": "9000", "LINEWORK_KAFKA_PORT": "9092", "LINEWORK_QA_PORT": ""})
    assert (ports["kafka"], ports["qa"], ports["intake_worker"]) == (9092, 9004, 9011)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"LINEWORK_INTAKE_PORT": "abc"}, "LINEWORK_INTAKE_PORT must be a port number, not 'abc'"),
        ({"LINEWORK_PORT_BASE": "65530"}, "not between 1 and 65535"),
        ({"LINEWORK_INTAKE_PORT": "8002"}, "Port 8002 is given to both intake and dispatch"),
    ],
)
def test_a_port_that_cannot_be_is_refused_by_its_name(environ: dict[str, str], says: str) -> None:
    with pytest.raises(Stopped, match=says):
        read_ports(None, environ)


def test_a_taken_port_is_named_with_its_holder_and_its_setting() -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)
        with pytest.raises(Stopped, match=rf"Port {port} for intake is taken.* set LINEWORK_INTAKE_PORT"):
            refuse_taken_ports({"intake": port})
    refuse_taken_ports({"intake": port})


def test_a_free_port_is_never_handed_out_twice_and_no_outgoing_connection_takes_it() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 32_768


def test_two_processes_are_given_no_port_in_common() -> None:
    program = "from linework.ports import free_port; print([free_port() for _ in range(50)]); input()"
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_asked_for_input(program)) for _ in range(3)]
        ports = [port for process in running for port in json.loads(process.stdout.readline())]  # type: ignore[union-attr]
    assert len(set(ports)) == 150


def _asked_for_input(program: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True)
