"""A database's address that is none is refused everywhere, and nothing of it is repeated: a password is in it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis import migrations, upgrade
from chassis.database import UnreadableUrl, driver_url, url_from_environment
from chassis.settings import Settings
from chassis.testing import settings_for
from linework.runtime.preparation import create_databases, database_urls
from linework.stopped import Stopped

SECRET = "Sesame"
UNREADABLE = [
    f"postgresql://u:{SECRET}/{SECRET}@localhost:5432/toy",
    f"postgresql://u:{SECRET}/{SECRET}@localhost",
    f"postgresql://u:{SECRET}#{SECRET}@localhost/toy",
    f"postgresql://u:{SECRET}?{SECRET}@localhost/toy",
    f"postgresql://u:{SECRET}?{SECRET}",
    f"postgresql://u:{SECRET}[{SECRET}@localhost/toy",
    f"postgresql://u:{SECRET}@{SECRET}@localhost/toy",
    f"postgresql://u:{SECRET} {SECRET}@localhost/toy",
    f"postgresql://u:{SECRET}@localhost:port/toy",
    f"postgresql://u:{SECRET}@localhost/toy?{SECRET}",
    f"mysql://u:{SECRET}@localhost/toy",
    SECRET,
]


@pytest.fixture(params=UNREADABLE)
def unreadable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", request.param)
    return request.param


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:Sesame@localhost:5432/toy",
        "postgresql+asyncpg://u:Ses%2Fame:!$@localhost/toy?sslmode=verify-full&application_name=a",
        "postgres://u@[::1]:5432/toy",
        "postgresql:///toy?host=/var/run/postgresql",
        "postgresql://u:p@one:5432,two:5433/toy",
        "postgresql://localhost",
    ],
)
def test_an_address_is_read(url: str) -> None:
    assert driver_url(url) == "postgresql://" + url.split("://")[1]


def test_what_is_no_address_is_not_repeated(unreadable: str) -> None:
    with pytest.raises(UnreadableUrl) as refused:
        driver_url(unreadable)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_no_process_starts_with_it_or_says_it(unreadable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"), ("OIDC_ISSUER", "https://issuer.example")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SEALING_MASTER_KEYS", f"{SECRET}")
    with pytest.raises(SystemExit) as ended:
        Settings.from_environment()
    assert "DATABASE_URL: value error, it is not postgresql://" in str(ended.value)
    assert "SEALING_MASTER_KEYS: value error" in str(ended.value)
    assert SECRET.lower() not in str(ended.value).lower()


def test_no_migration_starts_with_it_or_says_it(unreadable: str) -> None:
    for program in (migrations.run, lambda: upgrade.main(["alembic.ini"]), url_from_environment):
        with pytest.raises(SystemExit, match="DATABASE_URL cannot be read") as ended:
            program()
        assert SECRET not in str(ended.value)


def test_no_preparation_starts_with_it_or_says_it(unreadable: str) -> None:
    for prepare in (create_databases, database_urls):
        with pytest.raises(Stopped, match="cannot be read") as stopped:
            prepare(unreadable)
        assert SECRET not in str(stopped.value)


def test_a_program_without_an_address_says_which_variable_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit, match="DATABASE_URL is not set"):
        upgrade.main([str(Path("alembic.ini"))])


def test_the_error_of_a_setting_does_not_show_its_value() -> None:
    with pytest.raises(ValidationError) as refused:
        settings_for(f"postgresql://u:{SECRET}#@localhost/toy", http_port=SECRET, kafka_password=7)
    assert SECRET not in str(refused.value)


def test_settings_are_shown_without_the_address() -> None:
    assert SECRET not in repr(settings_for(f"postgresql://u:{SECRET}@localhost/toy"))
