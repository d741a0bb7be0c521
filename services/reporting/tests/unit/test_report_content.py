"""What a report says: names and never codes, sentences that hold for none, one and many, comparisons, footnotes."""

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pylopdf_fonts_zh_cn
import pypdfium2
import pytest
import typst
from services.reporting.tests.report_samples import (
    KEYS,
    KNOWN,
    TARGETS,
    likely,
    make_asked,
    make_contents,
    make_edition,
    nothing,
)

from contracts.directory import Names
from contracts.names import CLOCKS, HOLDERS, STATUSES
from contracts.time_zones import ZONES
from reporting.metrics import METRICS, REGISTRY, Dimension, MetricKind
from reporting.reports import workbook
from reporting.reports.content import Cell
from reporting.reports.csv_file import lines
from reporting.reports.definitions import DEFINITIONS
from reporting.reports.document import document_of
from reporting.reports.edition import Remarks
from reporting.reports.names import Naming, breakable, known_names
from reporting.reports.pages import as_pdf
from reporting.reports.periods import ReportKind
from reporting.reports.plan import ALL_SECTIONS, By, sections_of
from reporting.reports.rules import ReportRules
from reporting.reports.values import NumberForm, duration, value_text
from reporting.reports.words import UNITS, UNNAMED, VOICES, WEEKDAYS, WORDS, Language
from reporting.reports.workbook import as_xlsx

A_CODE = re.compile(r"\b[a-z0-9]+_[a-z0-9_]+\b|\b(?:north|south|repairs|a-1)\b|Agent/105")
KINDS = [*ReportKind]


def asked_of(kind, language):
    last = date(2025, 12, 31) if kind is ReportKind.PERIOD else None
    return make_asked(kind, date(2016, 1, 1) if last else date(2026, 6, 1), last=last, language=language)


@cache
def made(kind, language, make=likely):
    asked = asked_of(kind, language)
    contents = make_contents(asked, make=make)
    return asked, contents, document_of(asked, make_edition(), contents, KNOWN)


def pdf_text(file):
    with pypdfium2.PdfDocument(file) as document:
        return "".join(page.get_textpage().get_text_range() for page in document)


def readable_texts(file):
    """The texts of the sheet that is read; the other one is data and has ids."""
    book = zipfile.ZipFile(io.BytesIO(file))
    texts = re.findall(r"<si><t[^>]*>(.*?)</t></si>", book.read("xl/sharedStrings.xml").decode(), re.S)
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    return [texts[int(number)] for number in re.findall(r't="s"><v>(\d+)</v>', sheet)]


@pytest.mark.parametrize("language", [*Language])
@pytest.mark.parametrize("kind", [ReportKind.DAILY, ReportKind.MONTHLY, ReportKind.CALL_ANALYSIS, ReportKind.PERIOD])
def test_no_code_stands_on_a_page_or_on_the_readable_sheet(kind, language):
    asked, contents, document = made(kind, language)
    text = pdf_text(as_pdf(document))
    assert A_CODE.findall(text) == []
    assert A_CODE.findall("\n".join(readable_texts(as_xlsx(document, asked, contents)))) == []
    assert "\ufffd" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("language", [*Language])
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_nothing_says_so_in_sentences_and_has_every_period(kind, language):
    asked, _, document = made(kind, language, nothing)
    assert document.summary[0] == {"zh": "本期没有呼入记录。", "en": "No inbound call was recorded."}[language]
    assert document.footnotes == []
    by_period = next(table for table in document.tables if table.title == period_title(asked))
    assert all(row[1].text == "0" for row in by_period.rows)
    assert len(by_period.rows) >= 7


def period_title(asked):
    return ALL_SECTIONS["calls_by_period"].title(asked.grain, asked.language)


def one(metric_id, _):
    metric = REGISTRY[metric_id][-1]
    return Cell(1, 1, None) if metric.kind is MetricKind.COUNT else Cell(1.0, 1, 1, p50=1.0, p90=1.0)


def test_one_call_is_and_two_calls_are():
    summary = made(ReportKind.MONTHLY, Language.EN, one)[2].summary
    assert summary[0].startswith(
        "1 call was offered (±0.0% on the period before, ±0.0% on the year before); 1 answered"
    )
    assert "with 1 call." in summary[0]
    assert summary[1].startswith("1 work order was created (±0.0% on the period before")
    assert "there was 1 completion" in summary[1]
    assert "calls were offered" in made(ReportKind.MONTHLY, Language.EN)[2].summary[0]


def test_a_key_figure_has_percentiles_target_and_both_comparisons():
    _, contents, document = made(ReportKind.MONTHLY, Language.EN)
    table = document.tables[0]
    rows = {row[0].text: [value.text for value in row] for row in table.rows}
    assert table.head == [
        "Figure",
        "This period",
        "p50",
        "p90",
        "Target",
        "Met",
        "Period before",
        "Change",
        "Year before",
        "Change on year",
    ]
    level = rows["Service level"]
    assert (level[4], level[5]) == ("≥ 80.0%", "no")
    assert level[7].endswith(" pp")
    assert rows["Calls offered"][7].endswith("%")
    assert rows["Average handle time"][2:4] == ["29 s", "1m 32s"] or rows["Average handle time"][2] != "—"
    now, before = (contents[0].cell("calls_offered", rows) for rows in (contents[0].rows, contents[0].before))
    assert rows["Calls offered"][7] == value_text(NumberForm.CHANGE, now.value / before.value - 1, "en")


def test_without_a_target_there_is_no_column_for_one_and_without_a_past_a_dash():
    asked = make_asked()
    contents = make_contents(asked)
    contents[0].before, contents[0].year_before = [], []
    document = document_of(asked, make_edition(rules=ReportRules()), contents, KNOWN)
    assert "Target" not in document.tables[0].head
    assert [value.text for value in document.tables[0].rows[0][-4:]] == ["—"] * 4
    assert "on the period before" not in document.summary[0]


def test_a_footnote_is_numbered_once_wherever_its_sign_stands():
    document = made(ReportKind.MONTHLY, Language.ZH)[2]
    signs = [sign for sign, _ in document.footnotes if sign]
    assert signs
    assert len(set(signs)) == len(signs)
    texts = [text for _, text in document.footnotes]
    assert len(set(texts)) == len(texts)
    shown = {
        sign
        for table in document.tables
        for text in (*table.head, *(value.sign for row in table.rows for value in row))
        for sign in re.findall(r"[①-⑳]|\[\d+\]", text)
    }
    assert shown == set(signs)


def test_what_has_no_name_gets_a_number_and_the_same_one_everywhere():
    naming = made(ReportKind.MONTHLY, Language.EN)[2].naming
    assert naming.label(Dimension.QUEUE, "repairs") == "Queue without a name 1"
    assert naming.label(Dimension.QUEUE, "报修") == "报修"
    assert naming.label(Dimension.AGENT, "Agent/105") == "Agent without a name 1"
    assert naming.label(Dimension.WORK_AREA, "north") == "North yard"
    assert naming.unnamed == {"queue": {"repairs": 1}, "agent_id": {"Agent/105": 1}}


def test_people_of_one_name_are_told_apart_and_queues_are_called_as_the_rules_say():
    known = {("agent_id", "a-1"): Names(en="陈静", zh="陈静"), ("agent_id", "a-2"): Names(en="陈静", zh="陈静")}
    rules = ReportRules(queues={"repairs": Names(en="Repairs line", zh="报修专线")})
    naming = Naming("zh", known_names(known, rules)).read(make_contents(make_asked()))
    assert [naming.label(Dimension.AGENT, key) for key in ("a-1", "a-2")] == ["陈静 (1)", "陈静 (2)"]
    assert naming.label(Dimension.QUEUE, "repairs") == "报修专线"
    assert naming.label(Dimension.DEMAND_TYPE, "complaint") == "投诉"


def test_the_call_analysis_names_complaints_and_leaves_room_for_what_the_supervisor_writes():
    document = made(ReportKind.CALL_ANALYSIS, Language.ZH)[2]
    voices = document.tables[-1]
    assert [row[0].text for row in voices.rows] == ["投诉", "建议", "举报"]
    assert voices.rows[1][1].text == "0"
    assert document.remarks == [("存在问题", None), ("意见与建议", None), ("改进措施与后续安排", None)]
    assert any("未达目标" in text for text in document.observations)
    assert any("服务水平有" in text for text in document.observations)


def test_what_the_supervisor_wrote_stands_there_with_who_and_when_and_is_no_markup():
    asked = make_asked(ReportKind.CALL_ANALYSIS)
    remarks = Remarks(
        problems='#panic("x") $ * _',
        suggestions="=1+1",
        measures="第一行\n第二行",
        written_by="Wang",
        written_at=datetime(2026, 7, 3, 2, tzinfo=UTC),
    )
    contents = make_contents(asked)
    document = document_of(asked, make_edition(remarks=remarks, revision=2), contents, KNOWN)
    assert ("Revision", "2") in document.facts
    text = pdf_text(as_pdf(document))
    assert '#panic("x") $ * _' in text
    assert "Written by: Wang, 3 July 2026 10:00" in text
    file = as_xlsx(document, asked, contents)
    assert "=1+1" in readable_texts(file)
    assert not any(b"<f>" in zipfile.ZipFile(io.BytesIO(file)).read(f"xl/worksheets/sheet{n}.xml") for n in (1, 2))


def test_a_late_or_provisional_report_says_so():
    asked = make_asked(language=Language.EN)
    contents = make_contents(asked)
    contents[0].is_complete = False
    due_at = datetime(2026, 7, 1, 0, tzinfo=UTC)
    document = document_of(asked, make_edition(due_at=due_at, is_late=True), contents, KNOWN)
    assert ("Made late, due", "1 July 2026 08:00") in document.facts
    assert document.is_provisional
    assert "figures are provisional" in " ".join(pdf_text(as_pdf(document)).split())


def test_signatures_stand_with_the_names_of_the_rules():
    document = made(ReportKind.MONTHLY, Language.ZH)[2]
    assert document.signatures == [("制表", "李静"), ("审核", ""), ("批准", "")]
    assert document.centre == TARGETS.centre.zh


def test_on_the_sheet_the_date_stands_below_the_line_that_is_signed_on():
    asked, contents, document = made(ReportKind.MONTHLY, Language.ZH)
    texts = readable_texts(as_xlsx(document, asked, contents))
    start = texts.index("制表：李静")
    assert texts[start : start + 6] == ["制表：李静", "审核：", "批准：", "日期：", "日期：", "日期："]


@pytest.mark.parametrize(
    ("zone", "language", "name"),
    [
        ("Asia/Shanghai", Language.ZH, "北京时间"),
        ("Asia/Shanghai", Language.EN, "Asia/Shanghai"),
        ("America/New_York", Language.ZH, "America/New York"),
    ],
)
def test_a_chinese_reader_reads_the_chinese_name_of_a_zone_of_china(zone, language, name):
    asked = make_asked(language=language, zone=ZoneInfo(zone))
    document = document_of(asked, make_edition(), make_contents(asked), KNOWN)
    assert (WORDS["time_zone"][language == Language.ZH], name) in document.how_made


def test_a_group_of_which_nothing_is_known_is_no_row():
    asked = make_asked(language=Language.EN)
    contents = make_contents(asked)
    areas = next(content for content in contents if content.section == "orders_by_area")
    areas.rows = [
        (key, [nothing(one.metric, None) for one in areas.columns] if key is None else cells)
        for key, cells in areas.rows
    ]
    document = document_of(asked, make_edition(), contents, KNOWN)
    table = next(one for one in document.tables if one.title == "Work orders by work area")
    assert {row[0].text for row in table.rows} == {"North yard", "South yard"}


def test_without_open_work_orders_the_backlog_says_so_and_not_that_nothing_happened():
    tables = {table.title: table for table in made(ReportKind.MONTHLY, Language.ZH, nothing)[2].tables}
    assert tables["制表时未完成工单"].note == "没有未完成工单。"
    assert tables["分工区工单"].note == "本时段没有记录。"


def test_a_report_of_some_work_areas_names_them():
    asked = replace(make_asked(), areas=("north", "west"))
    document = document_of(asked, make_edition(), make_contents(asked), KNOWN)
    assert ("Work areas", "North yard, Work area without a name 1") in document.facts


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (9.44, "9.4 s", "9.4 秒"),
        (9.96, "10 s", "10 秒"),
        (59.6, "1 min 00 s", "1 分 00 秒"),
        (281.0207, "4 min 41 s", "4 分 41 秒"),
        (3599.6, "1 h 00 min", "1 小时 00 分"),
        (172_799, "48 h 00 min", "48 小时 00 分"),
        (281_020_007.7, "3,252 d 13 h", "3,252 天 13 小时"),
    ],
)
def test_long_seconds_are_minutes_hours_and_days(seconds, english, chinese):
    assert (duration(seconds, "en"), duration(seconds, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (NumberForm.CHANGE, 0.1234, "+12.3%"),
        (NumberForm.CHANGE, -0.00001, "±0.0%"),
        (NumberForm.CHANGE, 50.0, "> +999%"),
        (NumberForm.POINTS, -0.012, "-1.2 pp"),
        (NumberForm.SHARE, None, "—"),
    ],
)
def test_changes_have_a_sign(form, value, text):
    assert value_text(form, value, "en", is_short=True) == text


def test_a_share_that_is_small_is_not_printed_as_nothing():
    shown = [value_text(NumberForm.SHARE, share, "zh") for share in (0.0, 0.0004, 0.000955, 0.618, 0.9996, 1.0)]
    assert shown == ["0.0%", "0.040%", "0.096%", "61.8%", "99.96%", "100.0%"]


def test_a_long_name_can_break_and_a_long_chinese_one_needs_no_help():
    assert "\u200b" in breakable("a" * 60)
    assert breakable("内蒙古自治区" * 10) == "内蒙古自治区" * 10
    assert breakable("Office for the collection of bulky items") == "Office for the collection of bulky items"


def test_every_metric_of_a_section_can_be_grouped_as_the_section_is():
    for kind in ReportKind:
        for section in sections_of(kind):
            for metric_id in section.metrics:
                metric = REGISTRY[metric_id][-1]
                assert section.group_by is None or section.group_by in metric.dimensions
                assert metric.has_periods or not (section.by in (By.PERIOD, By.HOUR) or section.is_compared)


def test_every_metric_of_a_report_is_defined_in_both_languages():
    metrics = {metric_id for section in ALL_SECTIONS.values() for metric_id in section.metrics}
    assert {(metric_id, REGISTRY[metric_id][-1].version) for metric_id in metrics} <= set(DEFINITIONS)
    assert all(en and zh and not A_CODE.search(en) for en, zh in DEFINITIONS.values())


def test_sixty_areas_with_long_names_are_all_there_and_of_a_thousand_agents_the_page_says_how_many_more():
    asked = make_asked(ReportKind.QUARTERLY, language=Language.ZH)
    areas = {f"area-{number}": f"{'内蒙古自治区环境卫生管理第三工作站' * 2}{number}号" for number in range(60)}
    keys = {**KEYS, Dimension.WORK_AREA: [*areas], Dimension.AGENT: [f"ag-{number}" for number in range(1000)]}
    known = {**KNOWN, **{("work_area_id", key): Names(en=name, zh=name) for key, name in areas.items()}}
    document = document_of(asked, make_edition(), make_contents(asked, keys=keys), known)
    by_area = next(table for table in document.tables if table.title == "分工区工单")
    assert {row[0].text for row in by_area.rows} == {*areas.values(), "未注明"}
    by_agent = next(table for table in document.tables if table.title == "分坐席话务")
    assert (len(by_agent.rows), by_agent.note) == (400, "其余 601 行见数据表及 CSV。")


def test_the_font_has_every_character_that_a_report_is_made_of():
    names = (WORDS, UNITS, UNNAMED, VOICES, DEFINITIONS)
    texts = [text for table in names for pair in table.values() for text in pair]
    texts += [text for metric in METRICS for text in (metric.name_en, metric.name_zh)]
    texts += [text for pair in WEEKDAYS for text in pair] + [*ZONES.values()]
    texts += [text for each in (*STATUSES.values(), *CLOCKS.values(), *HOLDERS.values()) for text in (each.en, each.zh)]
    texts += [text for language in Language for text in made(ReportKind.MONTHLY, language)[2].summary]
    characters = sorted({character for text in texts for character in text if not character.isspace()} | {*"①⑳≥≤±—•·"})
    planted = "\U0001f600"  # the font has none, so that the test is seen to find what is absent
    characters.append(planted)
    missing = "\U0010fffd"
    source = (
        "#let data = json(bytes(sys.inputs.data))\n#set page(width: 30pt, height: 30pt, margin: 2pt)\n"
        '#set text(font: "Noto Sans SC", fallback: false)\n#data.map(one => page(one)).join()'
    )
    pages = typst.compile(
        source.encode(),
        font_paths=[str(Path(pylopdf_fonts_zh_cn.sans_path()).parent)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps([missing, *characters])},
        format="svg",
    )
    drawn = [re.sub(rb'(id|xlink:href|href)="[^"]*"', b"", page) for page in pages]
    assert len(drawn) == len(characters) + 1
    absent = [character for character, page in zip(characters, drawn[1:], strict=True) if page == drawn[0]]
    assert absent == [planted]


def test_what_is_long_stays_in_rows_that_a_spreadsheet_can_show():
    asked = make_asked(ReportKind.CALL_ANALYSIS, language=Language.ZH)
    remarks = Remarks(
        problems="甲" * 4000,
        suggestions="\n".join(["建议"] * 900),
        measures="w" * 4000,
        written_by="王",
        written_at=datetime(2026, 7, 3, 2, tzinfo=UTC),
    )
    contents = make_contents(asked)
    document = document_of(asked, make_edition(remarks=remarks), contents, KNOWN)
    file = as_xlsx(document, asked, contents)
    sheet = zipfile.ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml").decode()
    assert max(float(height) for height in re.findall(r' ht="([0-9.]+)"', sheet)) < 409
    assert sum(text.count("甲") for text in readable_texts(file)) == 4000
    assert pdf_text(as_pdf(document)).count("建议") >= 900


def test_the_hour_that_a_clock_change_repeats_stands_twice_and_in_its_place():
    asked = make_asked(ReportKind.DAILY, date(2026, 11, 1), zone=ZoneInfo("America/New_York"))
    document = document_of(asked, make_edition(), make_contents(asked), KNOWN)
    table = next(table for table in document.tables if table.title == "Calls by hour")
    assert [row[0].text for row in table.rows] == ["00:00", "01:00", *(f"{hour:02}:00" for hour in range(1, 24))]


def test_a_data_sheet_ends_where_memory_would_not_and_says_how_many_lines_are_left(monkeypatch):
    asked, contents, document = made(ReportKind.MONTHLY, Language.EN)
    count = sum(1 for _ in lines(asked, contents, document.naming))
    monkeypatch.setattr(workbook, "MOST_DATA_ROWS", 100)
    book = zipfile.ZipFile(io.BytesIO(as_xlsx(document, asked, contents)))
    assert f"{count - 100} more lines are in the CSV." in book.read("xl/sharedStrings.xml").decode()
    assert book.read("xl/worksheets/sheet2.xml").decode().count("<row ") == 1 + 100 + 1


def test_every_unit_has_a_name_in_both_languages():
    assert {metric.unit for metric in METRICS} <= set(UNITS)
    assert all(en and zh for en, zh in UNITS.values())
