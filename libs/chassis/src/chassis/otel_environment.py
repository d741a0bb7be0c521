"""The standard `OTEL_…` variables beside our own settings.

A setting of ours that is given counts; where it is not, the standard variable does; where neither is, our default. So
an operator who injects the standard ones into every pod needs none of ours. What the SDK itself reads (limits, sizes of
batches, the exporter's headers, certificates and timeouts) it reads as it is documented there.
"""

import logging
import os
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from chassis.settings import Settings
from contracts.version import VERSION

log = logging.getLogger(__name__)

_INSTANCE = str(uuid4())
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


def exporter_of(settings: Settings) -> OTLPSpanExporter | None:
    """Where spans go, or None where nobody says."""
    if settings.otlp_endpoint:
        return OTLPSpanExporter(settings.otlp_endpoint)
    if _is_off() or not any(map(os.environ.get, _ENDPOINTS)):
        return None
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), _SPOKEN)
    if protocol != _SPOKEN:
        log.warning("traces are sent by %s: OTLP by %s is not spoken", _SPOKEN, protocol)
    return OTLPSpanExporter()


def _is_off() -> bool:
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return is_disabled or os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def sampling_of(settings: Settings) -> tuple[float, bool]:
    """The share of requests that are traced, and whether a caller's own decision takes precedence."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if "trace_ratio" in settings.model_fields_set or not name:
        return settings.trace_ratio, True
    is_parents = name.startswith("parentbased_")
    match name.removeprefix("parentbased_"):
        case "always_on":
            return 1.0, is_parents
        case "always_off":
            return 0.0, is_parents
        case "traceidratio":
            return _ratio(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "")), is_parents
    log.warning("there is no sampler %s: TRACE_RATIO is %s", name, settings.trace_ratio)
    return settings.trace_ratio, True


def _ratio(text: str) -> float:
    """1 where nothing sensible is given, as the specification has it."""
    try:
        ratio = float(text or 1)
    except ValueError:
        ratio = -1.0
    if 0 <= ratio <= 1:
        return ratio
    log.warning("OTEL_TRACES_SAMPLER_ARG is %s, no share from 0 to 1: every request is traced", text)
    return 1.0


def resource_of(service: str) -> Resource:
    """What a process says of itself; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say it better."""
    ours = {
        "service.name": f"linework-{service}",
        "service.namespace": "linework",
        "service.version": VERSION,
        "service.instance.id": _INSTANCE,
    }
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def unreadable_variables(error: ValueError) -> str:
    """The variables whose value an error of the SDK repeats; of those that are given, all where it repeats none."""
    given = {name: value for name, value in os.environ.items() if name.startswith("OTEL_") and value}
    repeated = [name for name, value in given.items() if value in str(error)]
    return " or ".join(sorted(repeated or given)) or "a variable OTEL_…"
