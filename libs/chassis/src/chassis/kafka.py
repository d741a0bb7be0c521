"""How a process connects to Kafka: in the clear on one machine, elsewhere over TLS and as a user of its own."""

import ssl
from typing import Any

from faststream.security import BaseSecurity, SASLScram512

from chassis.settings import Settings


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_user and not settings.kafka_ca_file:
        return None
    # A user's password never travels in the clear; without a CA of its own the broker's must be a public one.
    return ssl.create_default_context(cafile=settings.kafka_ca_file or None)


def client_security(settings: Settings) -> dict[str, Any]:
    """What an aiokafka client is made with to be let in."""
    context = _tls(settings)
    if context is None:
        return {}
    if not settings.kafka_user:
        return {"security_protocol": "SSL", "ssl_context": context}
    return {
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


def broker_security(settings: Settings) -> BaseSecurity | None:
    """The same for FastStream's broker."""
    context = _tls(settings)
    if context is None:
        return None
    if not settings.kafka_user:
        return BaseSecurity(ssl_context=context)
    return SASLScram512(settings.kafka_user, settings.kafka_password.get_secret_value(), ssl_context=context)
