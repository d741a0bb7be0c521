"""Tests of decisions connect to nothing, also on this machine; `conftest.UNIT` names the folders."""

import socket

import pytest


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_a_unit_test_connects_to_nothing(host: str) -> None:
    with socket.socket() as probe, pytest.raises(Exception, match=rf"a test connects to {host}:9"):
        probe.connect((host, 9))
