"""How tests and runbooks find an installation that runs by itself."""

from pathlib import Path

import pytest
from tests.operators.runbooks import Typist
from tests.running import Running

from linework.ports import SERVICES
from linework.stopped import Stopped


def test_a_page_is_typed_with_the_ports_and_the_folder_of_the_installation(tmp_path: Path) -> None:
    running = Running.here(tmp_path)
    typed = Typist(running).adapted("curl 127.0.0.1:8003/readyz 127.0.0.1:8013/readyz > .local/answer")
    ports = running.ports
    assert ports["fieldwork"] != 8003
    assert typed == (
        f"curl 127.0.0.1:{ports['fieldwork']}/readyz 127.0.0.1:{ports['fieldwork_worker']}/readyz > {tmp_path}/answer"
    )


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("ISSUER", *(service.upper() for service in SERVICES)):
        monkeypatch.setenv(f"LINEWORK_E2E_{part}_URL", f"http://{part.lower()}.test")


def test_an_installation_elsewhere_is_used_as_the_environment_names_it(named: None) -> None:
    running = Running.elsewhere()
    assert running is not None
    assert running.addresses.services == {service: f"http://{service}.test" for service in SERVICES}
    assert running.addresses.issuer == "http://issuer.test"
    assert (running.state_folder, running.database_urls) == (None, {})
    assert running.environment["LINEWORK_INTAKE_URL"] == "http://intake.test", "for the commands of `linework`"


def test_a_missing_address_of_an_installation_elsewhere_is_named(named: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINEWORK_E2E_QA_URL")
    running = Running.elsewhere()
    assert running is not None
    with pytest.raises(Stopped, match="LINEWORK_QA_URL is not set"):
        _ = running.addresses


def test_without_addresses_there_is_no_installation_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINEWORK_E2E_INTAKE_URL", raising=False)
    assert Running.elsewhere() is None
