"""What `linework status` and `linework logs` show."""

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from linework.cli import app
from linework.health_report import HealthReport, age_of_most, health_reports, lines, warnings
from linework.logs import find_order_id, path_of
from linework.metrics_text import read_samples, totals

METRICS = """
# HELP linework_outbox_rows Rows that wait to be published.
linework_outbox_rows 3.0
linework_outbox_age_seconds 75.5
linework_parked_keys 2.0
linework_last_poll_age_seconds 0.25
linework_consumer_lag_records{topic="work-orders"} 12.0
linework_consumer_lag_records{topic="directory"} 0.0
linework_event_age_seconds_bucket{le="0.01"} 1.0
linework_event_age_seconds_bucket{le="0.5"} 95.0
linework_event_age_seconds_bucket{le="+Inf"} 100.0
"""


@pytest.fixture
def process() -> Iterator[str]:
    """The address of a process that is ready and tells `METRICS`."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(METRICS.encode() if self.path == "/metrics" else b"ok")

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


NOBODY = "http://127.0.0.1:1"


def test_a_health_report_shows_what_the_processes_tell(process: str) -> None:
    (seen,) = health_reports({"dispatch": process}, {"dispatch": process})
    assert seen == HealthReport(
        "dispatch",
        is_http_ready=True,
        is_worker_ready=True,
        outbox_rows=3,
        outbox_age_seconds=75.5,
        lag={"work-orders": 12, "directory": 0},
        last_poll_age_seconds=0.25,
        parked_keys=2,
        event_age_seconds=0.5,
    )
    assert "3, 76 s old" in lines([seen])[1]
    assert "directory 0, work-orders 12" in lines([seen])[1]


def test_a_service_that_nobody_reaches_is_shown_as_such(process: str) -> None:
    (seen,) = health_reports({"qa": NOBODY}, {"qa": process})
    assert (seen.is_ready, seen.is_worker_ready, seen.outbox_rows) == (False, True, 3)
    (unknown,) = health_reports({"qa": NOBODY}, {})
    assert (unknown.is_ready, unknown.parked_keys) == (False, None)
    assert lines([unknown])[1].count("?") == 5


def test_the_age_of_most_events_is_the_end_of_their_bucket() -> None:
    assert age_of_most(read_samples(METRICS)) == 0.5
    assert age_of_most(read_samples(METRICS.replace("95.0", "94.0"))) == float("inf")
    assert age_of_most(read_samples('linework_event_age_seconds_bucket{le="+Inf"} 0.0')) is None


def test_a_metric_with_labels_is_the_sum_over_them() -> None:
    assert totals(read_samples(METRICS))["linework_consumer_lag_records"] == 12.0


@pytest.mark.parametrize("page", ['{"title": "Not found"}', "<html>\n<body>404</body>", ""])
def test_an_error_page_has_no_metrics(page: str) -> None:
    assert read_samples(page) == []


def test_an_installation_elsewhere_is_named_by_addresses(process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("INTAKE", "DISPATCH", "FIELDWORK", "QA", "REPORTING"):
        monkeypatch.setenv(f"LINEWORK_{service}_URL", process)
    monkeypatch.setenv("LINEWORK_TOKEN_OPERATOR", "given")
    done = CliRunner().invoke(app, ["status", "--json"])
    told = json.loads(done.output)
    assert (done.exit_code, told["ready"]) == (0, True)
    assert told["services"]["qa"]["parked_keys"] == 2
    assert told["services"]["qa"]["is_worker_ready"] is None
    monkeypatch.setenv("LINEWORK_QA_WORKER_URL", NOBODY)
    assert CliRunner().invoke(app, ["status"]).exit_code == 1


def line(time: str, service: str, message: str, **more: Any) -> str:
    told = {"time": time, "level": "INFO", "service": service, "logger": "x", "message": message}
    return json.dumps({**told, **more}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "fieldwork_worker.log").write_text(
        line("T3", "fieldwork-worker", "applied", topic="work-orders", events=[["o-1", 2, "e-2"], ["o-2", 9, "e-9"]])
        + "not JSON o-1\n"
        + '{"cut off o-1'
    )
    (tmp_path / "logs" / "intake.log").write_text(
        line("T1", "intake", "carried out", act="create", order_id="o-1", order_no="20261122-000001", event_id="e-1")
        + line("T9", "intake", "carried out", act="create", order_id="o-2", order_no="20261122-000002", event_id="e-5")
    )
    (tmp_path / "logs" / "qa_worker.log.1").write_text(line("T2", "qa-worker", "parked a record: bad", key="o-1"))
    return tmp_path


def test_an_order_is_followed_by_its_number_over_all_processes(folder: Path) -> None:
    files = sorted((folder / "logs").iterdir())
    assert find_order_id(files, "20261122-000001") == "o-1"
    path = path_of(files, "o-1")
    assert [(one["time"], one["service"]) for one in path] == [
        ("T1", "intake"),
        ("T2", "qa-worker"),
        ("T3", "fieldwork-worker"),
    ]
    assert path[2]["events"] == [["o-1", 2, "e-2"]]


def test_the_path_is_shown_as_text_or_as_it_was_written(folder: Path) -> None:
    shown = CliRunner().invoke(app, ["logs", "20261122-000001", "--state-folder", str(folder)])
    assert shown.exit_code == 0
    assert "version 2 event e-2" in shown.output
    assert "act create" in shown.output
    as_json = CliRunner().invoke(app, ["logs", "o-1", "--json", "--state-folder", str(folder)])
    assert len([json.loads(one) for one in as_json.output.splitlines()]) == 3


def test_an_order_of_which_nothing_is_told_is_an_error(folder: Path) -> None:
    done = CliRunner().invoke(app, ["logs", "20261122-999999", "--state-folder", str(folder)])
    assert done.exit_code != 0


@pytest.mark.parametrize(
    ("until", "warning"),
    [
        (None, []),
        (datetime(2027, 2, 1, tzinfo=UTC), []),
        (datetime(2027, 1, 1, tzinfo=UTC), ["dispatch counts in a calendar that is covered until 2027-01-01"]),
        (datetime(1970, 1, 1, tzinfo=UTC), ["dispatch counts in a calendar without holidays"]),
    ],
)
def test_a_calendar_that_ends_within_sixty_days_is_told(until: datetime | None, warning: list[str]) -> None:
    report = HealthReport(
        "dispatch", is_http_ready=True, is_worker_ready=True, calendars_covered_until=until and until.timestamp()
    )
    told = warnings([report], datetime(2026, 11, 30, tzinfo=UTC))
    assert [line.removeprefix("Warning: ").split(";")[0] for line in told] == warning
