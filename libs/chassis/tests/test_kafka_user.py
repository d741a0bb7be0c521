"""How a process presents itself to Kafka."""

import ssl

import certifi
import pytest
from faststream.security import SASLScram512
from pydantic import SecretStr

from chassis.kafka import broker_security, client_security
from chassis.settings import Settings
from chassis.testing import settings_for

URL = "postgresql://somebody@localhost/toy"


def as_user(ca_file: str = "") -> Settings:
    return settings_for(URL, kafka_user="qa-worker", kafka_password=SecretStr("open sesame"), kafka_ca_file=ca_file)


def test_without_a_user_connections_are_plain() -> None:
    assert client_security(settings_for(URL)) == {}
    assert broker_security(settings_for(URL)) is None


@pytest.mark.parametrize("ca_file", ["", certifi.where()])
def test_a_users_password_travels_over_tls_to_a_broker_that_is_checked_only(ca_file: str) -> None:
    options = client_security(as_user(ca_file))
    assert options["security_protocol"] == "SASL_SSL"
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-512", "qa-worker")
    assert options["sasl_plain_password"] == "open sesame"
    context = options["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_consumers_come_as_the_same_user() -> None:
    security = broker_security(as_user())
    assert isinstance(security, SASLScram512)
    assert (security.username, security.password, security.use_ssl) == ("qa-worker", "open sesame", True)


def test_a_broker_with_a_certificate_and_without_users_is_talked_to_over_tls() -> None:
    settings = settings_for(URL, kafka_ca_file=certifi.where())
    assert client_security(settings)["security_protocol"] == "SSL"
    security = broker_security(settings)
    assert security is not None
    assert security.use_ssl


def test_the_password_is_not_shown_with_the_settings() -> None:
    assert "sesame" not in repr(as_user())
