"""The words of reports in both languages."""

from collections.abc import Mapping
from enum import StrEnum

from reporting.metrics import Dimension, Grain


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


Bilingual = tuple[str, str]
"""English and Chinese."""

WORDS: Mapping[str, Bilingual] = {
    "period": ("Period", "时段"),
    "hour": ("Hour of the day", "钟点"),
    "by_hour": ("Hour", "时刻"),
    "by_day": ("Day", "日期"),
    "by_week": ("Week", "周"),
    "by_month": ("Month", "月份"),
    "by_quarter": ("Quarter", "季度"),
    "by_year": ("Year", "年份"),
    "change_of": ("{name}: change", "{name}环比"),
    "points": (
        "p50: half are at most so long; p90: nine in ten are; pp: percentage points; change: on the period before",
        "p50：半数不超过的值；p90：九成不超过的值；pp：个百分点；环比：与上期相比；同比：与去年同期相比",
    ),
    "each_row": (
        "How many in each row: see the data sheet of the workbook and the CSV.",
        "逐行数量见工作簿的数据表及 CSV。",
    ),
    "largest": ("the {count} largest", "前 {count} 名"),
    "abbreviations": ("Abbreviations", "符号说明"),
    "queue": ("Queue", "队列"),
    "team": ("Team", "班组"),
    "clock": ("Limit for", "时限类型"),
    "agent_id": ("Agent", "坐席"),
    "staff_id": ("Staff", "人员"),
    "work_area_id": ("Work area", "工区"),
    "demand_type": ("Demand type", "需求类型"),
    "urgency": ("Urgency", "紧急程度"),
    "status": ("Status", "状态"),
    "": ("Whole period", "全部时段"),
    "none": ("not stated", "未注明"),
    "section": ("Section", "章节"),
    "group": ("Group", "分组"),
    "group_id": ("Group id", "分组编号"),
    "metric": ("Metric", "指标"),
    "metric_id": ("Metric id", "指标编号"),
    "version": ("Version", "版本"),
    "unit": ("Unit", "单位"),
    "window": ("Window", "口径时段"),
    "this": ("this period", "本期"),
    "before": ("period before", "上期"),
    "year_before": ("year before", "去年同期"),
    "numerator": ("Numerator", "分子"),
    "denominator": ("Denominator", "分母"),
    "value": ("Value", "数值"),
    "p50": ("Median (p50)", "中位数（p50）"),
    "p90": ("p90", "p90"),
    "unknown": ("Unknown", "未知"),
    "marked": ("Marked", "存疑"),
    "read_up_to": ("Counted up to", "统计截至"),
    "provisional": (
        "The period is not over, or has not been read to its end: all figures are provisional.",
        "时段未结束或尚未读完，全部数据为暂定。",
    ),
    "nothing": ("Nothing was recorded in this period.", "本时段没有记录。"),
    "none_open": ("There are no open work orders.", "没有未完成工单。"),
    "as_of": ("As known at", "数据时点"),
    "threshold_seconds": ("Service level: answered within", "服务水平应答时限"),
    "short_seconds": ("Short abandon: at most", "短时放弃上限"),
    "near_seconds": ("Limit near: within", "临近时限"),
    "silent_after_seconds": ("Agent silent: after", "坐席静默时限"),
    "three_rings_seconds": ("Three rings: within", "三声振铃时长"),
    "page": ("Page {place} / {count}", "第 {place} / {count} 页"),
    "colon": (": ", "："),
    "comma": (", ", "，"),
    "centre": ("Centre", "中心"),
    "time_zone": ("Local times of", "时间所在时区"),
    "scope": ("Work areas", "工区范围"),
    "everywhere": ("all work areas", "全部工区"),
    "revision": ("Revision", "修订"),
    "made_late": ("Made late, due", "补制，应制作时间"),
    "prepared": ("Prepared by", "制表"),
    "reviewed": ("Reviewed by", "审核"),
    "approved": ("Approved by", "批准"),
    "date": ("Date", "日期"),
    "summary": ("Summary", "摘要"),
    "figure": ("Figure", "指标"),
    "this_period": ("This period", "本期"),
    "median": ("p50", "p50"),
    "target": ("Target", "目标"),
    "met": ("Met", "达标"),
    "is_met": ("yes", "是"),
    "is_missed": ("no", "否"),
    "previous": ("Period before", "上期"),
    "change": ("Change", "环比"),
    "last_year": ("Year before", "去年同期"),
    "year_change": ("Change on year", "同比"),
    "footnotes": ("Notes", "注"),
    "definitions": ("Definitions and versions", "指标定义与版本"),
    "definition": ("Definition", "定义"),
    "data": ("Data", "数据"),
    "report": ("Report", "报表"),
    "voices": ("Complaints, suggestions and reports received", "投诉、建议与举报"),
    "kind": ("Kind", "类别"),
    "what_follows": ("What follows from the figures", "数据提示"),
    "problems": ("Problems", "存在问题"),
    "suggestions": ("Suggestions collected", "意见与建议"),
    "measures": ("Measures and what follows", "改进措施与后续安排"),
    "written_by": ("Written by", "填写人"),
    "to_be_written": ("To be written by the supervisor.", "由主管填写。"),
    "how_made": ("How this report was made", "制表说明"),
    "more_rows": (
        "{count} more rows are in the data sheet and the CSV.",
        "其余 {count} 行见数据表及 CSV。",
    ),
    "more_lines": ("{count} more lines are in the CSV.", "其余 {count} 行见 CSV。"),
    "holder": ("Holder", "责任方"),
    "calendar": ("Working calendar", "工作日历"),
    "calendar_until": ("holidays entered until {day}", "节假日已录入至 {day}"),
    "calendar_none": ("no holidays entered: days of the week only", "未录入节假日，仅按星期判定"),
}

UNITS: Mapping[str, Bilingual] = {
    "calls": ("calls", "通"),
    "clocks": ("clocks", "项"),
    "completions": ("completions", "次"),
    "follow-ups": ("follow-ups", "个"),
    "orders": ("orders", "单"),
    "promises": ("promises", "项"),
    "ratio": ("ratio", "比值"),
    "rejections per order": ("rejections per order", "次/单"),
    "reassignments per dispatch": ("reassignments per dispatch", "次/派单"),
    "urges per order": ("urges per order", "次/单"),
    "rings": ("rings", "次"),
    "seconds": ("seconds", "秒"),
    "share": ("share", "比例"),
    "steps": ("steps", "次"),
}
UNNAMED: Mapping[Dimension, Bilingual] = {
    Dimension.WORK_AREA: ("Work area without a name", "未登记名称的工区"),
    Dimension.STAFF: ("Person without a name", "未登记姓名的人员"),
    Dimension.AGENT: ("Agent without a name", "未登记姓名的坐席"),
    Dimension.DEMAND_TYPE: ("Demand type without a name", "未登记名称的需求类型"),
    Dimension.DEVICE_TYPE: ("Device type without a name", "未登记名称的设备类型"),
    Dimension.QUEUE: ("Queue without a name", "未登记名称的队列"),
    Dimension.TEAM: ("Team without a name", "未登记名称的班组"),
}
"""Names of rows without a name in the directory; a number is appended."""
VOICES: Mapping[str, Bilingual] = {
    "complaint": ("Complaints", "投诉"),
    "suggestion": ("Suggestions", "建议"),
    "report": ("Reports of wrongdoing", "举报"),
}
"""Demand types by which callers report faults of the service."""
WEEKDAYS: tuple[Bilingual, ...] = (
    ("Mon", "周一"),
    ("Tue", "周二"),
    ("Wed", "周三"),
    ("Thu", "周四"),
    ("Fri", "周五"),
    ("Sat", "周六"),
    ("Sun", "周日"),
)
GRAIN_WORDS: Mapping[Grain, Bilingual] = {
    Grain.HOUR: ("hour", "时"),
    Grain.DAY: ("day", "日"),
    Grain.WEEK: ("week", "周"),
    Grain.MONTH: ("month", "月"),
    Grain.QUARTER: ("quarter", "季"),
    Grain.YEAR: ("year", "年"),
}
"""In the titles of tables by period."""
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def word(name: str, language: str) -> str:
    return WORDS[name][language == Language.ZH]


def unit_word(unit: str, language: str) -> str:
    """A unit that this table does not know yet is called as the registry calls it."""
    return UNITS[unit][language == Language.ZH] if unit in UNITS else unit
