"""`linework partner` and `linework import orders` as they are typed."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from intake.orders import api as intake_api
from linework.client import NotReached
from linework.importer.order_body import CreateWorkOrder
from linework.stopped import Stopped
from linework_partner.example_kinds import ExampleKind
from linework_partner.records import NoRecords

Typed = Callable[..., Result]

ORDERS = "external_reference,subscriber_no,device_type,demand_type,content,appointment_start,appointment_end\n"


@pytest.fixture
def sample(typed: Typed, tmp_path: Path) -> Path:
    file = tmp_path / "sample.jsonl"
    file.write_text(typed("partner", "example").output, encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", ExampleKind)
@pytest.mark.parametrize("mode", [(), ("--structured",)])
def test_every_example_conforms(typed: Typed, tmp_path: Path, kind: str, mode: tuple[str, ...]) -> None:
    file = tmp_path / "sample.jsonl"
    file.write_text(typed("partner", "example", kind, *mode).output, encoding="utf-8")
    checked = typed("partner", "check", str(file))
    assert (checked.exit_code, ", 0 wrong." in checked.output) == (0, True), checked.output


def test_the_example_conforms(typed: Typed, sample: Path) -> None:
    done = typed("partner", "check", sample)
    assert (done.exit_code, done.output) == (0, "4 records, 0 wrong.\n")


def test_the_example_in_structured_mode_conforms_and_so_do_its_events_by_themselves(
    typed: Typed, tmp_path: Path
) -> None:
    records = [json.loads(line) for line in typed("partner", "example", "--structured").output.splitlines()]
    assert {json.dumps(record["headers"]) for record in records} == {'{"content-type": "application/cloudevents+json"}'}
    file = tmp_path / "structured"
    for content in (records, [record["value"] for record in records]):
        file.write_text(json.dumps(content))
        done = typed("partner", "check", file)
        assert (done.exit_code, done.output) == (0, "4 records, 0 wrong.\n")


def test_a_wrong_event_in_structured_mode_is_told_as_one_in_binary_mode(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "structured"
    text = typed("partner", "example", "--structured").output.replace('"queue": "support"', '"leg": 0')
    file.write_text(text.replace('"time": "2026-03-02T08:00:32.000000Z"', '"time": "soon"'))
    done = typed("partner", "check", file)
    assert done.exit_code == 1
    assert "record 2 (call-1-2, linework.partner.call_queued.v1): event_malformed" in done.output
    assert "/leg: is 0; right: 1 to 100" in done.output
    assert "record 4 (call-1-4, linework.partner.call_ended.v1): event_unreadable" in done.output
    assert "ce_time: is not a time with a zone" in done.output


def test_an_array_is_read_as_well(typed: Typed, sample: Path) -> None:
    records = [json.loads(line) for line in sample.read_text().splitlines()]
    sample.write_text(json.dumps(records))
    assert typed("partner", "check", sample).exit_code == 0


def test_what_is_wrong_is_said_with_what_would_be_right_in_either_language(typed: Typed, sample: Path) -> None:
    sample.write_text(sample.read_text().replace('"queue": "support"', '"leg": 0, "quue": "x"'))
    english, chinese = typed("partner", "check", sample), typed("partner", "check", sample, "--zh")
    assert (english.exit_code, chinese.exit_code) == (1, 1)
    assert "record 2 (call-1-2, linework.partner.call_queued.v1): event_malformed" in english.output
    assert "/leg: is 0; right: 1 to 100" in english.output
    assert "事件内容不符合其类型的要求。" in chinese.output


def test_a_misspelt_field_is_a_warning_and_no_mistake(typed: Typed, sample: Path) -> None:
    sample.write_text(sample.read_text().replace('"position": 1', '"positon": 1'))
    done = typed("partner", "check", sample)
    assert (done.exit_code, "positon is no field of it: ignored" in done.output) == (0, True)


def test_a_second_answer_and_a_used_id_are_found_in_the_course_of_a_call(typed: Typed, sample: Path) -> None:
    lines = sample.read_text().splitlines()
    again = lines[2].replace("call-1-3", "other-id")
    reused = lines[3].replace('"talk_milliseconds": 27000', '"talk_milliseconds": 1')
    sample.write_text("\n".join([*lines, again, reused, lines[0]]))
    found = json.loads(typed("partner", "check", sample, "--json").output)
    assert [one["code"] for one in found] == [None] * 4 + ["fact_already_known", "event_id_reused", None]


def correction(line: str, corrects: str, event_id: str) -> str:
    record = json.loads(line)
    record["headers"]["ce_id"] = event_id
    record["value"]["corrects"] = corrects
    return json.dumps(record)


def test_a_correction_of_what_is_not_in_the_file_cannot_be_judged_and_is_no_mistake(typed: Typed, sample: Path) -> None:
    lines = sample.read_text().splitlines()
    elsewhere = correction(lines[3], "sent-yesterday", "new-1")
    sample.write_text("\n".join([*lines[:3], elsewhere, elsewhere]))
    english, chinese = typed("partner", "check", sample), typed("partner", "check", sample, "--zh")
    assert (english.exit_code, chinese.exit_code) == (0, 0)
    assert (
        "record 4 (new-1, linework.partner.call_ended.v1): it corrects an event that is not in this file"
        in english.output
    )
    assert english.output.endswith("5 records, 0 wrong, 1 not judged.\n")
    assert "在此无法判断" in chinese.output


def test_a_correction_of_another_kind_of_event_in_the_file_is_a_mistake(typed: Typed, sample: Path) -> None:
    lines = sample.read_text().splitlines()
    wrong, right = correction(lines[3], "call-1-3", "new-1"), correction(lines[3], "call-1-4", "new-2")
    again = correction(lines[3], "elsewhere", "new-3")
    sample.write_text("\n".join([*lines, wrong, right, again]))
    found = json.loads(typed("partner", "check", sample, "--json").output)
    assert [one["code"] for one in found[4:]] == ["correction_unknown", None, None]
    assert [bool(one["not_judged"]) for one in found[4:]] == [False, False, True]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"key": "x"}', '{"headers": [1]}', "[" * 100_000])
def test_a_file_that_holds_no_records_is_refused_with_a_sentence(typed: Typed, tmp_path: Path, text: str) -> None:
    file = tmp_path / "sample"
    file.write_text(text)
    done = typed("partner", "check", file)
    assert isinstance(done.exception, NoRecords)


@pytest.fixture
def types(city: Any) -> None:
    city.types["device"]["digital"] = {"code": "digital", "is_active": True}
    city.types["demand"]["test"] = {"code": "test", "is_active": True}
    city.subscribers["111"] = {"subscriber_no": "111"}


def rows(report: Path) -> list[dict[str, str]]:
    with report.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("types")
def test_orders_come_from_a_file_once_and_every_row_is_reported(city: Any, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        ORDERS
        + "A-1,111,digital,test,没有图像,,\n"
        + "A-2,111,digital,test,,,\n"
        + "A-1,111,digital,test,again,,\n"
        + "A-3,111,digital,test,x,2026-03-02T09:00:00,2026-03-02T10:00:00\n"
        + "=A-4,111,digital\n"
        + "Ａ\u200b-1,111,digital,test,again,,\n"
    )
    done = typed("import", "orders", file)
    assert (done.exit_code, len(city.orders)) == (1, 1)
    found = rows(tmp_path / "orders.csv.report.csv")
    assert [row["outcome"] for row in found] == ["created", *["refused"] * 5]
    assert [row["reason"][:20] for row in found[1:3]] == ["content is empty", "external_reference i"]
    assert found[3]["reason"].startswith("appointment_start: Input should have timezone info; appointment_end: ")
    assert found[4]["external_reference"] == "'=A-4"
    assert (found[5]["external_reference"], found[5]["reason"]) == (
        "A-1",
        "external_reference is already on line 2",
    )


@pytest.mark.usefixtures("types")
def test_a_second_run_creates_nothing_and_a_dry_run_nothing_at_all(city: Any, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS + "A-1,111,digital,test,x,,\nA-2,999,digital,test,x,,\nA-3,111,fax,test,x,,\n")
    people = [[], [{"subscriber_no": "111"}]]

    def extra(method: str, path: str, body: Any) -> Any:
        return 200, {"items": people.pop() if path == "subscribers" else []}

    city.extra = extra
    dry = typed("import", "orders", file, "--dry-run", "--clients", "1")
    assert (dry.exit_code, city.changes, len(city.orders)) == (1, 0, 0)
    assert [row["outcome"] for row in rows(tmp_path / "orders.csv.report.csv")] == [
        "would be created",
        "refused",
        "refused",
    ]
    file.write_text(ORDERS + "A-1,111,digital,test,x,,\n")
    assert [typed("import", "orders", file).exit_code for _ in range(2)] == [0, 0]
    assert (len(city.orders), rows(tmp_path / "orders.csv.report.csv")[0]["outcome"]) == (1, "already there")


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("channel", "pigeon", "channel: Input should be 'phone'"),
        ("zone", "nowhere", "zone: Input should be"),
        ("occurred_at", "2999-01-01T00:00:00Z", "occurred_at: Value error, the time is in the future"),
        ("appointment_start", "2026-03-02T09:00:00Z", "appointment_end: Field required"),
        ("territory", "x" * 201, "territory: String should have at most 200 characters"),
        ("demand_type", "a b", "demand_type: String should match"),
    ],
)
def test_a_dry_run_says_of_a_row_what_the_run_says(
    city: Any, typed: Typed, tmp_path: Path, column: str, value: str, reason: str
) -> None:
    city.extra = lambda method, path, body: (200, {"items": [{}] if path == "subscribers" else []})
    plain = {"external_reference": "A", "subscriber_no": "111", "device_type": "digital", "demand_type": "test"}
    row = plain | {"content": "x", column: value}
    file, report = tmp_path / "orders.csv", tmp_path / "orders.csv.report.csv"
    file.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    assert typed("import", "orders", file, "--dry-run").exit_code == 1
    dry = rows(report)
    assert (dry[0]["outcome"], dry[0]["reason"][: len(reason)]) == ("refused", reason)
    assert typed("import", "orders", file).exit_code == 1
    assert (rows(report), city.orders) == (dry, {})


@pytest.mark.usefixtures("types")
def test_an_appointment_that_ends_before_it_begins_is_found_by_a_dry_run(
    city: Any, typed: Typed, tmp_path: Path
) -> None:
    city.extra = lambda method, path, body: (200, {"items": [{}] if path == "subscribers" else []})
    file = tmp_path / "orders.csv"
    file.write_text(f"{ORDERS}A-1,111,digital,test,x,2026-03-02T10:00:00Z,2026-03-02T09:00:00Z\n")
    assert typed("import", "orders", file, "--dry-run").exit_code == 1
    assert "the end is not after the start" in rows(tmp_path / "orders.csv.report.csv")[0]["reason"]


def test_the_body_that_is_looked_at_is_the_one_that_intake_takes() -> None:
    assert CreateWorkOrder.model_json_schema() == intake_api.CreateWorkOrder.model_json_schema()


def test_without_an_answer_a_command_says_what_to_do(city: Any, typed: Typed) -> None:
    def away(method: str, path: str) -> None:
        raise NotReached("http://127.0.0.1:8001 cannot be reached")

    city.interfere = away
    stopped = typed("partner", "agents", "pbx").exception
    assert isinstance(stopped, Stopped)
    assert str(stopped) == "http://127.0.0.1:8001 cannot be reached; start the installation with `linework up`."
