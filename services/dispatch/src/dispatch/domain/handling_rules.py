"""Whether the rules of handling orders 工单处理规则 make sense, and what an order may have of them stays known."""

from collections.abc import Sequence

from contracts.handling import HandlingRulesDefined
from contracts.refusals import Invalid


class RuleCodeRepeated(Invalid):
    """{codes} stand in {field} more than once."""

    zh = "{field} 中的 {codes} 重复。"


class SuspensionReasonRemoved(Invalid):
    """Orders may have been suspended for: {reasons}. Set is_active to false instead of leaving them out."""

    zh = "工单可能已使用挂起原因：{reasons}。请将其 is_active 设为 false，而不要删除。"


REFUSALS = (RuleCodeRepeated, SuspensionReasonRemoved)


def check_handling_rules(rules: HandlingRulesDefined, present: HandlingRulesDefined) -> None:
    """Raises one of `REFUSALS`; `present` are the rules that these take the place of."""
    reasons = [reason.code for reason in rules.suspension_reasons]
    _check_distinct("suspension_reasons", reasons)
    _check_distinct("completers", [completer.value for completer in rules.completers])
    _check_distinct("urgency_setters", [setters.urgency.value for setters in rules.urgency_setters])
    removed = [reason for reason in present.suspension_reasons if reason.code not in reasons]
    if removed:
        raise SuspensionReasonRemoved(
            reasons=[reason.names for reason in removed], codes=[reason.code for reason in removed]
        )


def _check_distinct(field: str, codes: Sequence[str]) -> None:
    repeated = sorted({code for code in codes if codes.count(code) > 1})
    if repeated:
        raise RuleCodeRepeated(field=field, codes=repeated)
