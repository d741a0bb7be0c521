"""Reports: asked for, built in the background, cut off and gone on with, and right in every format."""

import asyncio
import csv
import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pypdfium2
import pytest

from chassis.testing import eventually
from chassis.wakeup import Wakeup
from contracts.lifecycle import Status
from reporting.metrics import REGISTRY
from reporting.reports import building
from work_orders.testing import BEGIN, make_dispatched

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def centre(reporting, make_stream, make_call):
    """A day with calls in two queues and orders of two areas; a queue with a name that a spreadsheet would run."""
    messages = list(make_stream("o-99", Status.ARCHIVED, at=BEGIN).messages)
    for number in range(12):
        queue = ["咨询", '=HYPERLINK("x")'][number % 2]
        at = BEGIN + timedelta(minutes=20 * number)
        talk = None if number % 4 == 3 else 60 + number
        messages += make_call(f"c-{number}", at=at, wait=7, talk=talk, queue=queue).messages
        stream = make_stream(f"o-{number}", at=at, demand_type="故障申报")
        stream.add(make_dispatched(work_area_id=["north", "south"][number % 2]))
        messages += stream.messages
    await reporting.receive(*messages)
    return reporting


async def _ask(reporting, role="supervisor", areas=None, **body):
    asked = {"kind": "daily", "day": "2026-03-02", **body}
    answer = await reporting.client.post("/v1/reports", json=asked, headers=reporting.issuer.headers(role, areas))
    assert answer.status_code == 202, answer.text
    return answer.json()


async def _built(reporting, role="supervisor", areas=None, **body):
    """The report as it is when it is ready, and its file."""
    report = await _ask(reporting, role, areas, **body)
    while await building.take_step(reporting.db):
        pass
    ready = (await reporting.get(f"/reports/{report['id']}", role, areas)).json()
    assert ready["state"] == "ready", ready["failure"]
    file = await reporting.get(f"/reports/{report['id']}/file", role, areas)
    return ready, file


async def test_a_csv_opens_in_excel_with_chinese_and_runs_nothing(centre):
    report, file = await _built(centre, format="csv", language="zh")
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert file.headers["content-disposition"] == 'attachment; filename="daily-2026-03-02.csv"'
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    offered = {row["分组"]: row["数值"] for row in rows if row["章节"] == "分队列话务" and row["指标"] == "呼入量"}
    assert offered == {"咨询": "6", '\'=HYPERLINK("x")': "6"}
    share = next(row for row in rows if row["章节"] == "话务主要指标" and row["指标"] == "接通率")
    assert (share["分子"], share["分母"], share["数值"]) == ("9", "12", "0.75")
    assert report["manifest"]["digest"] == f"sha256:{hashlib.sha256(file.content).hexdigest()}"
    assert report["manifest"]["bytes"] == len(file.content)


async def test_an_xlsx_has_a_sheet_to_read_and_print_and_one_of_data(centre):
    report, file = await _built(centre, format="xlsx", language="en")
    book = zipfile.ZipFile(io.BytesIO(file.content))
    workbook = book.read("xl/workbook.xml").decode()
    assert [name for name in ("Report", "Data") if f'name="{name}"' in workbook] == ["Report", "Data"]
    sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 2
    assert 'fitToPage="1"' in sheets[0]
    assert 'paperSize="9"' in sheets[0]
    assert "_xlnm.Print_Titles" in workbook
    assert not any("<f>" in sheet for sheet in sheets)
    texts = book.read("xl/sharedStrings.xml").decode()
    assert "故障申报" in texts
    assert "service_level_3" in texts
    metrics = report["manifest"]["sections"][0]["metrics"]
    assert {"id": "service_level_3", "version": REGISTRY["service_level_3"][-1].version} in metrics


async def test_a_pdf_has_every_chinese_glyph(centre):
    _, file = await _built(centre, format="pdf", language="zh")
    document = pypdfium2.PdfDocument(file.content)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    for word in ("日报", "话务主要指标", "分队列话务", "咨询", "服务水平", "故障申报", "75.0%", "=HYPERLINK"):
        assert word in text
    assert "\ufffd" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("format", ["csv", "xlsx", "pdf"])
@pytest.mark.parametrize("kind", ["daily", "yearly"])
async def test_a_report_of_nothing_is_a_report(reporting, kind, format):
    report, file = await _built(reporting, kind=kind, day="2011-07-01", format=format, language="en")
    assert len(file.content) == report["manifest"]["bytes"] > 200


async def test_whose_token_names_areas_gets_theirs_and_is_told_what_is_left_out(centre):
    report, file = await _built(centre, "technician", ["north"], format="csv", language="en")
    text = file.content.decode("utf-8-sig")
    assert "north" in text
    assert "south" not in text
    assert "Calls offered" not in text
    sections = {one["id"]: one for one in report["manifest"]["sections"]}
    assert "calls_offered" in sections["calls"]["left_out"]
    assert "work_orders_created" in sections["orders"]["left_out"]


async def test_everybody_sees_their_own_reports(centre):
    report = await _ask(centre)
    assert (await centre.get(f"/reports/{report['id']}", "operator")).status_code == 404
    assert (await centre.get("/reports", "operator")).json()["items"] == []
    assert [one["id"] for one in (await centre.get("/reports", "supervisor")).json()["items"]] == [report["id"]]
    early = await centre.get(f"/reports/{report['id']}/file", "supervisor")
    assert (early.status_code, early.json()["code"]) == (409, "report_not_ready")


async def test_a_worker_that_is_cut_off_in_the_middle_is_followed_by_another_and_all_is_of_one_moment(
    centre, make_call, second_connection, monkeypatch
):
    whole, whole_file = await _built(centre, format="csv", language="en")
    report = await _ask(centre, format="csv", language="en")
    for _ in range(4):
        await building.take_step(centre.db)
    reached = asyncio.Event()
    fill = building.fill

    async def hanging(*arguments):
        reached.set()
        await asyncio.Event().wait()
        return await fill(*arguments)

    monkeypatch.setattr(building, "fill", hanging)
    killed = asyncio.create_task(building.take_step(centre.db))
    await reached.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    monkeypatch.setattr(building, "fill", fill)
    state = (await centre.get(f"/reports/{report['id']}", "supervisor")).json()
    assert (state["state"], state["done_count"]) == ("building", 4)
    late = datetime.now(SHANGHAI) + timedelta(hours=1)
    await centre.receive(*_recorded_at(make_call("c-late", at=BEGIN, wait=3), late))
    monkeypatch.setattr(building, "_LOOK_EVERY_SECONDS", 0.01)
    async with second_connection() as other:
        worker = asyncio.create_task(building.build_reports(other, Wakeup(centre.db.url)))
        await eventually(
            lambda: centre.get(f"/reports/{report['id']}", "supervisor"),
            until=lambda answer: answer.json()["state"] == "ready",
        )
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    file = await centre.get(f"/reports/{report['id']}/file", "supervisor")
    assert _lines(file) == _lines(whole_file)
    assert whole["manifest"]["row_count"] > 10


def _lines(file):
    """All but the ages, which are measured at the moment of each report."""
    return [line for line in file.text.splitlines() if "Age of the backlog" not in line]


def _recorded_at(stream, moment):
    return [replace(message, recorded_at=moment) for message in stream.messages]


async def test_a_report_that_cannot_be_built_says_why(centre, monkeypatch):
    report = await _ask(centre)

    async def broken(*_):
        raise LookupError("no such thing")

    monkeypatch.setattr(building, "fill", broken)
    while await building.take_step(centre.db):
        pass
    failed = (await centre.get(f"/reports/{report['id']}", "supervisor")).json()
    assert (failed["state"], failed["failure"]) == ("failed", "LookupError: no such thing")


CANNOT_BE_REPORTED = [
    ({"day": "1999-12-31"}, "report_outside_time"),
    ({"time_zone": "Asia/Atlantis"}, "time_zone_unknown"),
    ({"kind": "hourly"}, "invalid_request"),
    ({"kind": "period"}, "report_period_invalid"),
]


async def test_what_cannot_be_reported_is_refused_by_name(reporting, subtests):
    headers = reporting.issuer.headers("supervisor")
    for body, code in CANNOT_BE_REPORTED:
        with subtests.test(**body):
            asked = {"kind": "daily", "day": "2026-03-02", **body}
            answer = await reporting.client.post("/v1/reports", json=asked, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
