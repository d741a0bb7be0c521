"""How the command comes to Kafka: by the variables that the services have."""

from pathlib import Path

import pytest

from chassis.testing_certificates import Authority
from linework.kafka_security import security_of_environment
from linework.stopped import Stopped

NAMES = ("USER", "PASSWORD", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "KEY_PASSWORD")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"KAFKA_{name}", raising=False)


def test_nothing_given_is_plaintext() -> None:
    assert security_of_environment() == {}


def test_a_user_and_a_certificate_are_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("pbx")
    for name, value in {"CA_FILE": authority.file, "CERTIFICATE_FILE": certificate, "KEY_FILE": key}.items():
        monkeypatch.setenv(f"KAFKA_{name}", str(value))
    assert security_of_environment()["security_protocol"] == "SSL"
    monkeypatch.setenv("KAFKA_USER", "partner-pbx")
    monkeypatch.setenv("KAFKA_PASSWORD", "open sesame")
    security = security_of_environment()
    assert (security["security_protocol"], security["sasl_plain_password"]) == ("SASL_SSL", "open sesame")


def test_half_a_set_or_a_missing_file_stops_the_command_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKA_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(Stopped, match="KAFKA_CERTIFICATE_FILE is missing"):
        security_of_environment()
    monkeypatch.setenv("KAFKA_CERTIFICATE_FILE", str(tmp_path / "none"))
    with pytest.raises(Stopped, match="cannot be used: No such file"):
        security_of_environment()
