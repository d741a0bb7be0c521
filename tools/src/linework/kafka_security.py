"""How the command comes to Kafka: by the variables that the services have."""

import os
from typing import Any

from linework.stopped import Stopped

_TEXTS = ("KAFKA_USER", "KAFKA_CA_FILE", "KAFKA_CERTIFICATE_FILE", "KAFKA_KEY_FILE")
_SECRETS = ("KAFKA_PASSWORD", "KAFKA_KEY_PASSWORD")


def security_of_environment() -> dict[str, Any]:
    """What an aiokafka client is made with; raises `Stopped` if a certificate cannot be used."""
    from pydantic import SecretStr

    from chassis.kafka import client_security
    from chassis.settings import Settings

    given: dict[str, Any] = {name.lower(): os.environ.get(name, "") for name in _TEXTS}
    given |= {name.lower(): SecretStr(os.environ.get(name, "")) for name in _SECRETS}
    settings = Settings.model_construct(**given)
    pair = ("KAFKA_CERTIFICATE_FILE", "KAFKA_KEY_FILE")
    missing = [name for name in pair if not given[name.lower()]]
    if len(missing) == 1:
        raise Stopped(f"{missing[0]} is missing: {' and '.join(pair)} are given together.")
    if (fault := settings.kafka_certificates.fault()) is not None:
        raise Stopped(f"The certificates for Kafka ({', '.join(_TEXTS[1:])}) cannot be used: {fault}.")
    return client_security(settings)
