"""Every process says which release it is."""

from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis import tracing
from chassis.http import create_app
from chassis.testing import settings_for
from contracts.version import VERSION


def test_the_openapi_document_names_the_release() -> None:
    app = create_app("toy", settings_for("postgresql://user@127.0.0.1:1/none"), [], description="A toy.", access={})
    assert app.openapi()["info"]["version"] == VERSION


@pytest.fixture
def provider() -> Any:
    yield tracing.start("toy", SimpleSpanProcessor(InMemorySpanExporter()))
    tracing.stop()


def test_traces_name_the_release(provider: Any) -> None:
    assert provider.resource.attributes["service.version"] == VERSION
    assert provider.resource.attributes["service.name"] == "linework-toy"
