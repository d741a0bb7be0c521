"""A process as its operator sees it: settings, probes, waiting, a database that goes and comes back."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from chassis import http
from chassis.database import Database, is_transient
from chassis.http import create_app
from chassis.request_context import Context
from chassis.settings import Settings
from chassis.subscribe import Consumer
from chassis.testing import MASTER_KEYS, TestIssuer, client_of, eventually, settings_for
from chassis.wait_for_version import caught_up
from chassis.wakeup import APPLIED, Wakeup
from contracts.codec import encode

from .test_parking import park_spoiled, raw_records
from .toy import INI, SUBSCRIPTIONS, all_public, count, note

router = APIRouter()


@router.post("/counts/{key}")
async def count_up(key: str, context: Context) -> int:
    return await count(context.db, key)


@pytest.fixture
def url(new_database: Any) -> str:
    return new_database(INI)


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
async def client(url: str, issuer: TestIssuer) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        "toy", settings_for(url), [router], description="Toys.", subscriptions=SUBSCRIPTIONS, access=all_public(router)
    )
    async with client_of(app, issuer) as client:
        yield client


REQUIRED = {
    "DATABASE_URL": "postgresql://somebody@localhost/toy",
    "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
    "OIDC_ISSUER": "https://issuer.example/realms/linework",
    "SEALING_MASTER_KEYS": MASTER_KEYS,
}


def exit_of(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environment()
    return str(stopped.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**REQUIRED, "HTTP_PORT": "8123"}.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert (settings.http_port, settings.kafka_bootstrap_servers) == (8123, "localhost:9092")


def test_a_missing_setting_stops_the_start_with_one_sentence_that_names_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = exit_of({"OIDC_ISSUER": "https://issuer.example"}, monkeypatch)
    assert "DATABASE_URL" in text
    assert "KAFKA_BOOTSTRAP_SERVERS" in text
    assert "OIDC_ISSUER" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "many"),
        ("DATABASE_POOL_SIZE", "0"),
        ("CATCH_UP_SECONDS", "-1"),
        ("KAFKA_POLL_SECONDS", "0"),
        ("DATABASE_URL", "toy.sqlite"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    text = exit_of({**REQUIRED, name: value}, monkeypatch)
    assert name in text
    assert "\n" not in text


ISSUERS_REFUSED = {
    "without TLS": ("http://issuer.example", "without TLS"),
    "without TLS inside the cluster": ("http://keycloak.identity.svc", "without TLS"),
    "no scheme": ("issuer.example", "without TLS"),
    "another scheme": ("ftp://issuer.example", "without TLS"),
    "an empty text": ("", "without TLS"),
    "no host": ("https://", "not the address"),
    "with a user": ("https://a:b@issuer.example", "not the address"),
    "a port that is none": ("https://issuer.example:port", "not an address"),
    "brackets": ("https://[issuer", "not an address"),
    "localhost": ("https://localhost:8443", "on loopback"),
    "localhost in capitals": ("HTTPS://LOCALHOST", "on loopback"),
    "localhost with a dot": ("https://localhost./x", "on loopback"),
    "below localhost": ("https://issuer.localhost", "on loopback"),
    "localhost's domain": ("https://localhost.localdomain", "on loopback"),
    "127.0.0.1": ("https://127.0.0.1", "on loopback"),
    "elsewhere in 127/8": ("https://127.8.9.1:8000", "on loopback"),
    "short": ("https://127.1", "on loopback"),
    "one number": ("https://2130706433", "on loopback"),
    "hexadecimal": ("https://0x7f000001", "on loopback"),
    "every address": ("https://0.0.0.0", "on loopback"),
    "IPv6": ("https://[::1]:8443", "on loopback"),
    "IPv6 with IPv4 in it": ("https://[::ffff:127.0.0.1]", "on loopback"),
}


@pytest.mark.parametrize("name", ISSUERS_REFUSED)
def test_production_does_not_start_with_an_issuer_that_anybody_can_play(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    issuer, fault = ISSUERS_REFUSED[name]
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    text = exit_of({**REQUIRED, "OIDC_ISSUER": issuer}, monkeypatch)
    assert "OIDC_ISSUER" in text
    assert fault.lower() in text.lower()
    assert "\n" not in text
    monkeypatch.setenv("ENVIRONMENT", "local")
    assert Settings.from_environment().oidc_issuer == issuer


@pytest.mark.parametrize(
    "issuer", ["https://issuer.example/realms/x", "https://10.0.0.7:8443", "https://[2001:db8::7]"]
)
def test_production_starts_with_an_issuer_over_tls_elsewhere(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    for name, value in {**REQUIRED, "OIDC_ISSUER": issuer}.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment().oidc_issuer == issuer


def test_an_environment_of_another_name_is_no_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    text = exit_of({**REQUIRED, "OIDC_ISSUER": "http://issuer.example", "ENVIRONMENT": "staging"}, monkeypatch)
    assert "ENVIRONMENT" in text
    assert "OIDC_ISSUER" in text


async def test_probes_and_metrics_answer(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).text == "ok"
    assert (await client.get("/readyz")).text == "ok"
    await client.post("/counts/order-1")
    metrics = (await client.get("/metrics")).text
    assert "linework_outbox_rows 1.0" in metrics
    assert "linework_parked_keys 0.0" in metrics


async def test_while_postgres_is_away_commands_can_be_tried_again_and_then_work(
    client: httpx.AsyncClient, postgres_server: Any
) -> None:
    assert (await client.post("/counts/order-1")).json() == 1
    await asyncio.to_thread(postgres_server.stop)
    try:
        for _ in range(3):
            answer = await client.post("/counts/order-1")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["retry-after"] == "1"
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200, "a restart of this process would not help"
        assert (await client.get("/metrics")).status_code == 200
    finally:
        postgres_server.start()
    answers = await asyncio.gather(*(client.post("/counts/order-1") for _ in range(12)))
    assert sorted(answer.json() for answer in answers) == list(range(2, 14))
    assert (await client.get("/readyz")).status_code == 200


async def test_a_restart_of_postgres_under_load_is_answered_with_503_at_worst_and_loses_no_yes(
    client: httpx.AsyncClient, postgres_server: Any, url: str
) -> None:
    answers: list[httpx.Response] = []

    async def press(number: int) -> None:
        while len(answers) < 600:
            answers.append(await client.post(f"/counts/order-{number}"))
            await asyncio.sleep(0.001)

    pressing = [asyncio.create_task(press(number)) for number in range(8)]
    await eventually(lambda: len(answers), until=lambda found: found > 100)
    postgres_server.restart()
    await asyncio.gather(*pressing)
    assert {answer.status_code for answer in answers} <= {200, 503}
    db = Database(url)
    async with db.statements() as statements:
        total = await statements.fetchval("select sum(version) from counted")
        published = await statements.fetchval("select count(*) from outbox")
    await db.close()
    assert total >= sum(answer.status_code == 200 for answer in answers)
    assert published == total, "every change has its outbox row, whatever the caller was told"


async def test_operators_look_repair_release_and_discard_over_http(
    client: httpx.AsyncClient, issuer: TestIssuer, url: str
) -> None:
    client.headers.update(issuer.headers("operator"))
    db = Database(url)
    poison = await park_spoiled(Consumer(SUBSCRIPTIONS[0], service="toy", db=db), db)
    place = {"topic": "work-orders", "key": "bad"}
    shown = (await client.get("/v1/parked", params=place)).json()["items"]
    assert [row["reason"] for row in shown][1:] == ["an earlier record of this key is parked"] * 2
    assert (await client.get(f"/v1/parked/{poison['id']}")).json()["value"] == "{"
    refused = await client.post("/v1/parked/release", params=place)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_poison")

    _, value, headers = encode(note("bad", 2))
    repair = {"value": (value or b"").decode(), "headers": {name: text.decode() for name, text in headers}}
    bad_repair = await client.post(f"/v1/parked/{poison['id']}/repair", json={**repair, "value": "{"})
    assert (bad_repair.status_code, bad_repair.json()["code"]) == (422, "repair_not_text")
    assert (await client.post(f"/v1/parked/{poison['id']}/repair", json=repair)).json()["repaired"][
        "by"
    ] == "operator-1"
    assert (await client.post("/v1/parked/release", params=place)).json() == {"released": 3}
    assert (await client.get("/v1/parked")).json() == {"items": []}
    for act, body in (("repair", repair), ("discard", None)):
        answer = await client.post(f"/v1/parked/{poison['id']}/{act}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "parked_record_not_found")

    await Consumer(SUBSCRIPTIONS[0], service="toy", db=db).apply(raw_records(encode(note("far", 9)), first=50))
    (far,) = (await client.get("/v1/parked")).json()["items"]
    assert (await client.post(f"/v1/parked/{far['id']}/discard")).json()["state"] == "discarded"
    await db.close()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/parked?key=%00", None),
        ("GET", "/v1/parked?topic=%00", None),
        ("GET", "/v1/parked?key=%ff", None),
        ("GET", f"/v1/parked?after={10**30}", None),
        ("GET", "/v1/parked?limit=0", None),
        ("GET", f"/v1/parked/{10**30}", None),
        ("GET", "/v1/parked/-1", None),
        ("POST", "/v1/parked/release?topic=work-orders&key=%00", None),
        ("POST", "/v1/parked/release?topic=nothing&key=a", None),
        ("POST", "/v1/parked/1/repair", b'{"value": "{}", "headers": {"a": "\\u0000"}}'),
        ("POST", "/v1/parked/1/repair", b'{"value": "\\ud800", "headers": {}}'),
        ("POST", "/v1/parked/1/repair", b'{"value": "\\"\\\\ud800\\"", "headers": {}}'),
        ("POST", "/v1/parked/1/repair", b'{"value": "NaN", "headers": {}}'),
    ],
)
async def test_bad_input_of_operators_is_refused_and_breaks_nothing(
    client: httpx.AsyncClient, issuer: TestIssuer, method: str, path: str, body: bytes | None
) -> None:
    headers = issuer.headers("operator") | {"content-type": "application/json"}
    answer = await client.request(method, path, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    assert answer.status_code in (400, 404, 422) or answer.json() == {"items": []}


async def test_only_operators_see_what_is_parked(client: httpx.AsyncClient, issuer: TestIssuer) -> None:
    assert (await client.get("/v1/parked")).status_code == 401
    assert (await client.get("/v1/parked", headers=issuer.headers("supervisor"))).status_code == 403


async def test_a_read_that_waits_is_woken_when_something_was_applied(url: str) -> None:
    async with Wakeup(url, hears=APPLIED).running() as hearing, Wakeup(url).running() as applying:
        value = 0

        async def read() -> int:
            return value

        waiting = asyncio.create_task(caught_up(read, lambda found: found == 1, wakeup=hearing, seconds=30))
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
        value = 1
        applying.send(APPLIED)
        assert await asyncio.wait_for(waiting, 5) == 1


async def test_a_lost_wake_up_costs_a_moment_and_nothing_else(url: str) -> None:
    reads = 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        return reads

    deaf = Wakeup(url)
    assert await caught_up(read, lambda found: found >= 3, wakeup=deaf, seconds=30) == 3


async def test_a_read_that_waits_gives_up_in_time_with_what_there_is(url: str) -> None:
    loop = asyncio.get_running_loop()

    async def read() -> str:
        return "old"

    began = loop.time()
    assert await caught_up(read, lambda found: found == "new", wakeup=Wakeup(url), seconds=0.3) == "old"
    assert 0.3 <= loop.time() - began < 2


async def test_a_wake_up_connection_that_was_cut_is_made_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.wakeup._RECONNECT_SECONDS", 0.05)
    db = Database(url)
    async with Wakeup(url, hears=APPLIED).running() as wakeup:

        async def is_heard() -> bool:
            wakeup.send(APPLIED)
            return await wakeup.wait(0.2)

        await eventually(is_heard)
        async with db.statements() as statements:
            await statements.fetch(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and query like 'notify%'"
            )
        await eventually(is_heard)
    await db.close()


async def test_what_the_database_refuses_for_good_is_not_taken_for_trouble(url: str) -> None:
    db = Database(url)
    with pytest.raises(Exception, match="does not exist") as refused:
        async with db.statements() as statements:
            await statements.execute("select * from nothing")
    assert not is_transient(refused.value)
    await db.close()


def test_a_process_that_serves_spares_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else notices whether it does."""
    done: list[str] = []
    monkeypatch.setattr(
        http,
        "gc",
        SimpleNamespace(collect=lambda: None, freeze=lambda: done.append("frozen"), set_threshold=lambda *_: None),
    )
    monkeypatch.setattr(http, "set_up_logs", lambda *_: None)

    def run(server: http.GracefulServer) -> None:
        server.started = True
        done.append("served")

    monkeypatch.setattr(http.GracefulServer, "run", run)
    http.serve("toy", FastAPI(), settings_for("postgresql://user@127.0.0.1:1/none"), port=0)
    assert done == ["frozen", "served"]
