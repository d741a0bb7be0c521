"""The initial reference data of an installation; operators change it through the services' APIs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    en: str
    zh: str
    territories: Sequence[str]
    staff: Mapping[str, tuple[str, ...]]
    """By name: skills. The staff member's id is the area's with a number."""


DEVICE_TYPES: Mapping[str, tuple[str, str]] = {
    "digital": ("Digital", "数字"),
    "analogue": ("Analogue", "模拟"),
    "interactive": ("Interactive television", "互动电视"),
    "broadband": ("Broadband", "宽带"),
}

DEMAND_TYPES: Mapping[str, tuple[str, str]] = {
    "fault_repair": ("Fault repair", "故障申报"),
    "business_acceptance": ("Business acceptance", "业务受理"),
    "complaint": ("Complaint", "投诉"),
    "consultation": ("Consultation", "咨询"),
    "report": ("Report", "举报"),
    "suggestion": ("Suggestion", "建议"),
    "test": ("Test", "测试"),
}

WORK_AREAS: Mapping[str, Area] = {
    "north": Area(
        "North",
        "城北工区",
        ("north",),
        {"王建国": ("digital", "broadband"), "李红梅": ("analogue",), "赵磊": ("digital",)},
    ),
    "south": Area(
        "South",
        "城南工区",
        ("south",),
        {"陈志强": ("digital", "analogue"), "刘洋": ("broadband",), "黄丽": ("digital",)},
    ),
    "east": Area("East", "城东工区", ("east",), {"周涛": ("digital", "broadband"), "吴敏": ("interactive",)}),
    "west": Area("West", "城西工区", ("west",), {"徐刚": ("digital",), "孙婷": ("analogue", "interactive")}),
}
