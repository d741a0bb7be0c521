"""The standard `OTEL_…` variables: ours take precedence where they are given, theirs over our defaults."""

import logging

import pytest

from chassis import tracing
from chassis.otel_environment import exporter_of, resource_of, sampling_of
from chassis.settings import Settings
from chassis.testing import settings_for

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def settings(**given: object) -> Settings:
    return settings_for(NOWHERE, **given)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTLP_ENDPOINT", "TRACE_RATIO"):
        monkeypatch.delenv(name, raising=False)


def endpoint(given: Settings) -> str | None:
    exporter = exporter_of(given)
    return exporter and exporter._endpoint


def test_an_endpoint_of_ours_takes_precedence_over_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert endpoint(settings()) is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:4318")
    assert endpoint(settings()) == "http://theirs:4318/v1/traces"
    assert endpoint(settings(otlp_endpoint="http://ours:4318/v1/traces")) == "http://ours:4318/v1/traces"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/x")
    assert endpoint(settings()) == "http://traces:4318/x"


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
def test_the_standard_switch_turns_off_what_the_standard_endpoint_turns_on(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:4318")
    monkeypatch.setenv(name, value)
    assert tracing.set_up_traces("toy", settings()) is None


def test_a_protocol_that_is_not_spoken_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with caplog.at_level(logging.WARNING):
        assert exporter_of(settings()) is not None
    assert "OTLP by grpc is not spoken" in caplog.text


@pytest.mark.parametrize(
    ("sampler", "argument", "expected"),
    [
        ("", "", (0.1, True)),
        ("always_on", "", (1.0, False)),
        ("always_off", "", (0.0, False)),
        ("parentbased_always_on", "", (1.0, True)),
        ("parentbased_traceidratio", "0.25", (0.25, True)),
        ("TraceIdRatio", "0.5", (0.5, False)),
        ("traceidratio", "", (1.0, False)),
        ("traceidratio", "2", (1.0, False)),
        ("traceidratio", "nan", (1.0, False)),
        ("traceidratio", "half", (1.0, False)),
        ("jaeger_remote", "x", (0.1, True)),
    ],
)
def test_the_standard_sampler_counts_where_no_ratio_of_ours_is_given(
    monkeypatch: pytest.MonkeyPatch, sampler: str, argument: str, expected: tuple[float, bool]
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    assert sampling_of(settings()) == expected
    assert sampling_of(settings(trace_ratio=0.7)) == (0.7, True)


def test_a_name_and_attributes_that_are_given_take_the_place_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "intake-shanghai")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=centre,deployment.environment.name=test")
    said = resource_of("intake").attributes
    assert (said["service.name"], said["service.namespace"]) == ("intake-shanghai", "centre")
    assert said["deployment.environment.name"] == "test"
    assert said["service.version"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
    ],
)
def test_a_variable_that_the_sdk_cannot_read_ends_the_start_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:4318")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"cannot start: .*{name}.* cannot be read"):
        tracing.set_up_traces("toy", settings())
