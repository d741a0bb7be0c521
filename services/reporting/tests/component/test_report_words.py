"""What a reader of a report must be told: what is odd or not known, whether it is the last word, in their language."""

import csv
import io
import re
import zipfile
from datetime import timedelta

import pypdfium2
import pytest
from services.reporting.tests.component.test_reports import _built as built

from work_orders.testing import BEGIN


def pdf_text(file: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(file))


def sheets_of(file: bytes) -> list[list[list[str]]]:
    """By sheet its rows, by row the texts and numbers of its cells, as the file has them; a date is a number."""
    book = zipfile.ZipFile(io.BytesIO(file))
    texts = re.findall(r"<si><t[^>]*>(.*?)</t></si>", book.read("xl/sharedStrings.xml").decode(), re.S)
    sheets = []
    for number in range(1, len([name for name in book.namelist() if "/sheet" in name and "rels" not in name]) + 1):
        rows = []
        for row in re.findall(r"<row .*?</row>", book.read(f"xl/worksheets/sheet{number}.xml").decode(), re.S):
            cells = re.findall(r'<c r="[A-Z]+\d+"([^>]*)><v>(.*?)</v></c>', row)
            rows.append([texts[int(value)] if 't="s"' in kind else value for kind, value in cells])
        sheets.append(rows)
    return sheets


@pytest.fixture
async def odd(reporting, make_call, make_stream):
    """Two calls of one hour, at one of which something is odd, and an order of the backlog."""
    strange = make_call("c-1", at=BEGIN, wait=3, talk=30, faults=("before_offer",))
    usual = make_call("c-2", at=BEGIN, wait=4, talk=30)
    await reporting.receive(*strange.messages, *usual.messages, *make_stream("o-1", at=BEGIN).messages)
    return reporting


async def test_what_is_odd_and_what_is_not_known_stands_in_every_format(odd):
    _, file = await built(odd, format="csv", language="zh")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    offered = next(row for row in rows if row["指标"] == "呼入量")
    assert (offered["数值"], offered["存疑"]) == ("2", "1")
    _, file = await built(odd, format="xlsx", language="zh")
    assert any("呼入量：其中最多 1 项存疑" in cell for row in sheets_of(file.content)[0] for cell in row)
    _, file = await built(odd, format="pdf", language="zh")
    assert "呼入量：其中最多 1 项存疑" in pdf_text(file.content)


async def test_a_report_says_whether_its_period_was_read_to_the_end(odd, make_call):
    report, file = await built(odd, format="pdf", language="en")
    # The last message is of the morning of the day that the report is of.
    assert report["manifest"]["is_complete"] is False
    assert report["manifest"]["read_up_to"]["recorded_at"] < report["manifest"]["to"]
    assert "figures are provisional" in " ".join(pdf_text(file.content).split())
    await odd.receive(*make_call("c-9", at=BEGIN + timedelta(days=2), wait=3, talk=30).messages)
    report, file = await built(odd, format="pdf", language="en")
    assert report["manifest"]["is_complete"] is True
    positions = report["manifest"]["read_up_to"]["positions"]
    assert positions["calls"]
    assert "provisional" not in pdf_text(file.content)


async def test_a_chinese_report_names_statuses_clocks_and_units_in_chinese(odd):
    _, file = await built(odd, format="csv", language="zh")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    backlog = [row for row in rows if row["章节"] == "制表时未完成工单"]
    assert {row["分组"] for row in backlog} == {"生成表单"}
    assert {row["单位"] for row in backlog} == {"单", "秒"}
    _, file = await built(odd, format="pdf", language="zh")
    assert "平均应答速度 3.5 秒" in " ".join(pdf_text(file.content).split())


async def test_a_count_of_nothing_is_nought_and_a_share_of_nothing_is_none(reporting, make_call):
    gave_up = make_call("c-1", at=BEGIN, wait=9, queue="hung up")
    await reporting.receive(*gave_up.messages, *make_call("c-2", at=BEGIN, wait=4, talk=30, queue="talked").messages)
    _, file = await built(reporting, format="csv", language="en")
    rows = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    by_queue = {(row["Group id"], row["Metric"]): row["Value"] for row in rows if row["Section"] == "Calls by queue"}
    assert (by_queue["hung up", "Calls abandoned"], by_queue["talked", "Calls abandoned"]) == ("1", "0")
    assert by_queue["hung up", "Calls answered"] == "0"
    assert ("hung up", "Average handle time") not in by_queue


async def test_a_section_without_anything_says_so(reporting):
    _, file = await built(reporting, day="2011-07-01", format="pdf", language="zh")
    assert "本时段没有记录。" in pdf_text(file.content)
    _, file = await built(reporting, day="2011-07-01", format="xlsx", language="zh")
    assert ["本时段没有记录。"] in sheets_of(file.content)[0]


async def test_a_zone_of_whichever_machine_it_is_is_refused_before_anything_is_built(reporting):
    asked = {"kind": "daily", "day": "2026-03-02", "time_zone": "localtime"}
    answer = await reporting.client.post("/v1/reports", json=asked, headers=reporting.issuer.headers("supervisor"))
    assert (answer.status_code, answer.json()["code"]) == (422, "time_zone_unknown")
