"""What each metric of a report means, in both languages, for the last pages of the report.

By metric and version: a version without a sentence here is described by the formula of the registry.
"""

from collections.abc import Mapping

from reporting.metrics import Metric
from reporting.reports.words import WORDS, Bilingual, Language

_WITHIN = ("answered within the time limit of the service level", "服务水平应答时限内接通")
DEFINITIONS: dict[tuple[str, int], Bilingual] = {
    ("calls_received", 1): (
        "Inbound calls, each counted once however often it was transferred.",
        "呼入来电通数，转接多次的来电只计一次。",
    ),
    ("calls_offered", 1): (
        "Inbound calls offered to a queue; a call transferred to another queue is offered there again.",
        "进入队列的呼入量，转接到其他队列的来电在该队列再计一次。",
    ),
    ("calls_answered", 1): ("Offered calls that an agent answered.", "由坐席接听的呼入量。"),
    ("calls_abandoned", 1): (
        "Offered calls whose caller hung up while waiting, short abandons included.",
        "来电人在等待中挂断的呼入量，含短时放弃。",
    ),
    ("short_abandons", 1): (
        "Abandoned calls whose wait was at most the limit for short abandons.",
        "等待时长不超过短时放弃上限的放弃量。",
    ),
    ("calls_lost", 1): (
        "Offered calls that left their queue neither answered nor abandoned.",
        "既未接通也未由来电人放弃而离开队列的呼入量。",
    ),
    ("calls_made", 1): ("Outbound calls.", "呼出量。"),
    ("connect_rate", 1): ("Answered calls / offered calls.", "接通量÷呼入量。"),
    ("service_level_3", 1): (
        f"Calls {_WITHIN[0]} / (answered + abandoned calls); a wait equal to the limit is within it.",
        f"{_WITHIN[1]}的来电÷（接通量＋放弃量），等待时长等于时限计为时限内。",
    ),
    ("abandonment_rate", 1): (
        "(Abandoned calls - short abandons) / offered calls.",
        "（放弃量－短时放弃量）÷呼入量。",
    ),
    ("speed_of_answer", 1): ("Mean wait of answered calls.", "接通来电的平均等待时长。"),
    ("handle_time", 1): (
        "Mean of talk, hold and after-call work of ended calls.",
        "已结束通话的通话、保持与话后处理时长之和的平均值。",
    ),
    ("talk_time", 1): ("Mean talk of ended calls, without holds.", "已结束通话的平均通话时长，不含保持。"),
    ("hold_time", 1): ("Mean hold of ended calls, where it is known.", "已知保持时长的通话的平均保持时长。"),
    ("after_call_work", 1): ("Mean after-call work of calls that had some.", "有话后处理的通话的平均话后处理时长。"),
    ("occupancy", 1): (
        "Handling time / (handling time + available time).",
        "处理时长÷（处理时长＋可用时长）。",
    ),
    ("utilisation", 1): (
        "(Handling time + available time) / time signed in.",
        "（处理时长＋可用时长）÷签入时长。",
    ),
    ("first_contact_resolution", 1): (
        "Calls settled at once by the agent after which the subscriber did not call again within 7 days / answered "
        "calls of known subscribers that were settled.",
        "坐席当场办结且用户七日内未再来电的来电÷已知用户的已接通并办结的来电。",
    ),
    ("replies_promised", 1): ("Replies promised for difficult cases.", "疑难问题承诺答复的数量。"),
    ("replies_in_time", 1): ("Promised replies given in time / promised replies.", "按时答复÷承诺答复。"),
    ("satisfaction", 1): ("Scores given / highest possible scores.", "满意度得分÷满分。"),
    ("satisfaction_response_rate", 1): (
        "Calls with a score / calls whose caller was asked.",
        "参评来电÷邀请评价的来电。",
    ),
    ("work_orders_created", 1): ("Work orders created.", "生成的工单数。"),
    ("work_orders_completed", 1): (
        "Completions of work orders; an order that is reopened can complete again.",
        "工单完成次数，重开后再次完成的另计。",
    ),
    ("rejections_per_order", 1): ("Rejections / orders dispatched for the first time.", "反单次数÷首次派单的工单数。"),
    ("first_dispatch_accuracy", 1): (
        "1 - orders with a valid misdispatch / dispatched orders.",
        "1－误派成立的工单÷已派工单。",
    ),
    ("reopen_rate", 1): ("Redispatches after completion / completions.", "完成后重新派单次数÷完成次数。"),
    ("repeat_rate", 1): (
        "Orders of the same subscriber and demand within 7 days of an earlier one / orders.",
        "同一用户同一需求七日内重复的工单÷工单数。",
    ),
    ("audit_pass_rate", 1): ("Audits passed / audits.", "审核合格÷审核总数。"),
    ("dispatch_time", 1): ("From creation to the first dispatch.", "从生成到首次派单的时长。"),
    ("start_time", 1): ("From dispatch to the start of work.", "从派单到开始处理的时长。"),
    ("arrival_time", 1): ("From creation to the first arrival.", "从生成到首次到达的时长。"),
    ("handling_time", 1): ("From the start of work to completion.", "从开始处理到完成的时长。"),
    ("completion_time", 1): ("From creation to completion.", "从生成到完成的时长。"),
    ("reply_time", 1): ("From creation to the reply to the subscriber.", "从生成到答复用户的时长。"),
    ("in_time", 1): ("Time limits kept / time limits that ended.", "按时完成的时限÷已结束的时限。"),
    ("extension_rate", 1): ("Time limits that were extended / time limits that ended.", "延期的时限÷已结束的时限。"),
    ("outbound_connect_rate", 1): (
        "Outbound calls that were answered / outbound calls that were answered or have ended.",
        "已接通的外呼÷已接通或已结束的外呼。",
    ),
    ("call_loss_rate", 1): (
        "Inbound calls that were abandoned or lost / inbound calls that were answered, abandoned or lost.",
        "放弃与流失的来电÷已接通、放弃与流失的来电。",
    ),
    ("clock_time", 1): (
        "How long clocks with a limit ran until they stopped, suspensions left out.",
        "设有时限的各时钟至停止为止的运行时长，挂起时间除外。",
    ),
    ("held_time", 1): (
        "Stretches of orders with each holder: how long until the holder changes.",
        "工单在各责任方处停留的各段时长。",
    ),
    ("backlog", 1): (
        "Orders neither completed, archived nor cancelled, as they stand.",
        "当前未完成、未归档、未作废的工单数。",
    ),
    ("backlog_age", 1): ("Time since creation of the orders of the backlog.", "未完成工单自生成起已历时间。"),
    ("follow_ups_planned", 1): ("Follow-up calls planned.", "计划的回访数。"),
    ("follow_up_coverage", 1): (
        "Completed orders with an answered follow-up / completed orders.",
        "已成功回访的完成工单÷完成工单。",
    ),
    ("follow_ups_in_time", 1): ("Follow-ups answered in time / follow-ups that ended.", "按期成功回访÷已结束的回访。"),
    ("follow_up_satisfaction", 1): ("Scores given / highest possible scores.", "回访满意度得分÷满分。"),
    ("follow_up_response_rate", 1): (
        "Follow-ups with a score / follow-ups that ended.",
        "给出评分的回访÷已结束的回访。",
    ),
}
_SAID_ALIKE = (
    "calls_received",
    "calls_offered",
    "calls_answered",
    "calls_abandoned",
    "short_abandons",
    "calls_lost",
    "calls_made",
    "connect_rate",
    "service_level_3",
    "abandonment_rate",
    "speed_of_answer",
    "first_contact_resolution",
    "satisfaction",
    "satisfaction_response_rate",
)
"""Second versions that differ in agents and teams only: an unanswered call is under none of them."""
DEFINITIONS.update({(metric, 2): DEFINITIONS[metric, 1] for metric in _SAID_ALIKE})
DEFINITIONS.update(
    {
        ("handle_time", 2): (
            "Mean of talk, hold and after-call work of inbound calls whose end is known.",
            "已知结束时间的呼入通话的通话、保持与话后处理时长之和的平均值。",
        ),
        ("outbound_handle_time", 1): (
            "Mean of talk, hold and after-call work of outbound calls whose end is known.",
            "已知结束时间的呼出通话的通话、保持与话后处理时长之和的平均值。",
        ),
        ("talk_time", 2): (
            "Mean talk, without holds, of inbound calls whose end is known.",
            "已知结束时间的呼入通话的平均通话时长，不含保持。",
        ),
        ("after_call_work", 2): (
            "Mean after-call work of inbound calls that had some.",
            "有话后处理的呼入通话的平均话后处理时长。",
        ),
        ("rang_not_answered", 1): (
            "Calls that rang at an agent for three rings or longer and were not answered there.",
            "在坐席处振铃达三声及以上而未接听的次数。",
        ),
        ("answered_in_three_rings", 1): (
            "Calls answered within three rings / (answered calls + rings of three or longer that were not answered).",
            "三声振铃内接听的来电÷（已接听的来电＋振铃达三声而未接听的次数）。",
        ),
        ("occupancy", 2): (
            "Handling time / (handling time + available time); an agent counts until silent for too long.",
            "处理时长÷（处理时长＋可用时长），坐席静默超过时限后不再计入。",
        ),
        ("utilisation", 2): (
            "(Handling time + available time) / time signed in; an agent counts until silent for too long.",
            "（处理时长＋可用时长）÷签入时长，坐席静默超过时限后不再计入。",
        ),
    }
)
_NAMES: Mapping[str, Bilingual] = {
    "service_level_3": ("Service level", "服务水平"),
    "abandonment_rate": ("Abandon rate", "放弃率"),
    "in_time": ("Time limits kept", "时限按时率"),
}
"""Where a reader of reports needs another name than one who chooses among variants."""
_PARAMETERS: Mapping[str, Bilingual] = {
    name: WORDS[name]
    for name in (
        "threshold_seconds",
        "short_seconds",
        "near_seconds",
        "silent_after_seconds",
        "three_rings_seconds",
    )
}


def metric_name(metric: Metric, language: str) -> str:
    return _NAMES.get(metric.id, (metric.name_en, metric.name_zh))[language == Language.ZH]


def definition_of(metric: Metric, language: str) -> str:
    is_chinese = language == Language.ZH
    names = DEFINITIONS.get((metric.id, metric.version))
    if names is not None:
        return names[is_chinese]
    text = metric.formula
    for parameter, words in _PARAMETERS.items():
        text = text.replace(parameter, f"“{words[is_chinese]}”")
    return text.replace("_", " ")
