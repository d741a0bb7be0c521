"""What is wrong with single values of a request: pointer, fault and expectation of each, in the reader's language."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

_FRAGMENT = "!$&'()*+,;=:@?~"
"""What stands in a fragment as it is."""

_WRONG_ZH = {
    "missing": "缺少必填项",
    "extra_forbidden": "未知字段",
    "string_too_short": "文字过短",
    "string_too_long": "文字过长",
    "string_type": "应为文字",
    "string_pattern_mismatch": "格式不符",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "enum": "不在可选值之内",
    "literal_error": "不在可选值之内",
    "greater_than_equal": "数值过小",
    "less_than_equal": "数值过大",
    "datetime_parsing": "不是有效的时间",
    "datetime_from_date_parsing": "不是有效的时间",
    "datetime_type": "应为时间",
    "timezone_aware": "时间缺少时区",
    "too_short": "项目过少",
    "too_long": "项目过多",
    "uuid_parsing": "不是有效的编号",
    "model_attributes_type": "应为 JSON 对象",
    "json_invalid": "不是有效的 JSON",
}


_BOUNDS_ZH = {
    "ge": "不小于 {}",
    "gt": "大于 {}",
    "le": "不大于 {}",
    "lt": "小于 {}",
    "min_length": "至少 {}",
    "max_length": "最多 {}",
    "pattern": "格式为 {}",
    "expected": "可选值为 {}",
}


class InvalidValue(ValueError):
    """What a validator of a request model raises: why the value is refused, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


def field_errors(faults: Sequence[Mapping[str, Any]], body: Any, language: str) -> list[dict[str, str]]:
    """Pydantic's faults as rows of a problem document; allowed values stay as a client has to type them."""
    shown = []
    for fault in faults:
        place, *path = fault["loc"]
        wrong = _WRONG_ZH.get(fault["type"], "内容不正确") if language == "zh" else fault["msg"]
        row = {"in": str(place), "pointer": _pointer(path, fault, body), "wrong": wrong}
        row["detail"] = _detail_zh(fault, wrong) if language == "zh" else wrong
        right = _expected(fault)
        if right:
            row["right"] = ", ".join(f"{name} {value}" for name, value in right.items())
        shown.append(row)
    return shown


def _expected(fault: Mapping[str, Any]) -> dict[str, Any]:
    context = fault.get("ctx", {})
    return {name: value for name, value in context.items() if isinstance(value, str | int | float | bool)}


def _detail_zh(fault: Mapping[str, Any], wrong: str) -> str:
    error = fault.get("ctx", {}).get("error")
    if isinstance(error, InvalidValue):
        return error.zh
    if fault["type"] not in _WRONG_ZH:
        return str(fault["msg"])
    expected = {name: value for name, value in _expected(fault).items() if name in _BOUNDS_ZH}
    bounds = [_BOUNDS_ZH[name].format(str(value).replace(" or ", ", ")) for name, value in expected.items()]
    return f"{wrong}：{'，'.join(bounds)}" if bounds else wrong


def _pointer(path: Sequence[str | int], fault: Mapping[str, Any], body: Any) -> str:
    """A JSON pointer (RFC 6901) as a fragment, as in RFC 9457: into the body, or to a parameter; `#`: the whole body.

    Between the keys of the body, pydantic's path names the members of unions, which are nothing that was sent.
    """
    if fault["loc"][0] != "body":
        steps = [step for number, step in enumerate(path) if number == 0 or isinstance(step, int)]
    else:
        steps = list(_steps_in(body, path, is_missing=fault["type"] == "missing"))
    return "#" + "".join("/" + quote(str(step).replace("~", "~0").replace("/", "~1"), safe=_FRAGMENT) for step in steps)


def _steps_in(place: Any, path: Sequence[str | int], *, is_missing: bool) -> Iterator[str | int]:
    for number, step in enumerate(path, start=1):
        is_key = isinstance(place, dict) and step in place
        if is_key or (isinstance(place, list) and isinstance(step, int) and step < len(place)):
            place = place[step]
            yield step
        elif is_missing and number == len(path):
            yield step
