"""Certificates from files: shown to a server, checked at the start, read again when they are replaced."""

import asyncio
import contextlib
import logging
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.kafka import client_security
from chassis.settings import Settings
from chassis.testing import settings_for
from chassis.testing_certificates import Authority
from chassis.tls import Certificates, ClientContext

URL = "postgresql://somebody@localhost/toy"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def certificates(authority: Authority, name: str = "worker") -> Certificates:
    certificate, key = authority.issue(name, "own")
    return Certificates(str(authority.file), str(certificate), str(key))


@contextlib.asynccontextmanager
async def server_of(authority: Authority) -> AsyncIterator[int]:
    """Tells each client the name in its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (((_, name),),) = writer.get_extra_info("peercert")["subject"]
        writer.write(name.encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(tell, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def name_told(port: int, context: ssl.SSLContext) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    name = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return name


async def test_a_replaced_certificate_is_shown_at_the_next_connection(authority: Authority) -> None:
    context = ClientContext(certificates(authority, "before"))
    async with server_of(authority) as port:
        assert await name_told(port, context) == "before"
        authority.issue("after", "own")
        assert await name_told(port, context) == "after"


async def test_half_of_a_new_pair_leaves_the_former_in_place_until_it_is_whole(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    files = certificates(authority, "before")
    context = ClientContext(files)
    certificate, key = authority.issue("after", "other")
    async with server_of(authority) as port:
        os.replace(certificate, files.certificate_file)
        with caplog.at_level(logging.WARNING):
            assert await name_told(port, context) == "before"
        assert "the former ones stay" in caplog.text
        os.replace(key, files.key_file)
        assert await name_told(port, context) == "after"
        Path(files.key_file).unlink()
        assert await name_told(port, context) == "after"


async def test_a_server_whose_authority_is_replaced_is_believed_under_the_new_one(
    authority: Authority, tmp_path: Path
) -> None:
    context = ClientContext(certificates(authority))
    (tmp_path / "new").mkdir()
    new = Authority(tmp_path / "new", "renewed")
    async with server_of(new) as port:
        with pytest.raises(ssl.SSLError):
            await name_told(port, context)
        authority.file.write_bytes(new.file.read_bytes())
        certificate, key = new.issue("worker", "own")
        os.replace(certificate, tmp_path / "own.crt")
        os.replace(key, tmp_path / "own.key")
        assert await name_told(port, context) == "worker"


def refusal(monkeypatch: pytest.MonkeyPatch, **given: object) -> str:
    required = {"database_url": URL, "kafka_bootstrap_servers": "kafka:9092", "oidc_issuer": "https://issuer.example"}
    master_keys = settings_for(URL).sealing_master_keys.get_secret_value()
    for name, value in {**required, "sealing_master_keys": master_keys, **given}.items():
        monkeypatch.setenv(name.upper(), str(value))
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environment()
    return str(stopped.value)


def test_half_a_set_is_refused_at_the_start(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = authority.issue("worker")
    halves = [
        ({"kafka_certificate_file": certificate}, "KAFKA_KEY_FILE: value error, it is missing beside"),
        ({"kafka_key_file": key}, "it is given without KAFKA_CERTIFICATE_FILE, which is missing"),
    ]
    for half, sentence in halves:
        with monkeypatch.context() as environment:
            assert sentence in refusal(environment, **half)


def test_files_that_are_missing_or_do_not_belong_together_are_refused_at_the_start(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = authority.issue("worker")
    other = authority.issue("other")[1]
    text_file = tmp_path / "text"
    text_file.write_text("no certificate")
    wrong = [
        ({"kafka_ca_file": tmp_path / "none"}, "KAFKA_CA_FILE", "No such file"),
        ({"kafka_ca_file": text_file}, "KAFKA_CA_FILE", "no certificate"),
        ({"kafka_certificate_file": certificate, "kafka_key_file": tmp_path / "none"}, "KAFKA_KEY_FILE", "No such"),
        ({"kafka_certificate_file": certificate, "kafka_key_file": tmp_path}, "KAFKA_KEY_FILE", ""),
        ({"kafka_certificate_file": certificate, "kafka_key_file": other}, "KAFKA_KEY_FILE", "KEY_VALUES_MISMATCH"),
        ({"kafka_certificate_file": text_file, "kafka_key_file": key}, "KAFKA_KEY_FILE", "no certificate"),
    ]
    for given, setting, fault in wrong:
        with monkeypatch.context() as environment:
            text = refusal(environment, **given)
        assert text.count(setting + ": ") == 1
        assert fault in text
        assert "\n" not in text


def test_a_certificate_stands_beside_a_user_or_instead_of_one(authority: Authority) -> None:
    files = certificates(authority)
    given = {"kafka_certificate_file": files.certificate_file, "kafka_key_file": files.key_file}
    alone, beside = settings_for(URL, **given), settings_for(URL, **given, kafka_user="qa-worker")
    assert client_security(alone)["security_protocol"] == "SSL"
    assert client_security(beside)["security_protocol"] == "SASL_SSL"
    assert isinstance(client_security(beside)["ssl_context"], ClientContext)
