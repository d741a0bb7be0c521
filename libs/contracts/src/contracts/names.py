"""What people see instead of codes, in English and Chinese: the one catalogue of names, by kind of code.

Sentences, reports and pages take a name from here; messages and the machine-readable members of documents carry the
code. A sentence names the kind behind the colon of a placeholder (`contracts.refusals`): `{order_status:status}`.
A kind is complete: a test compares each with the codes that exist.
"""

from collections.abc import Mapping

from contracts.directory import Names

STATUSES: Mapping[str, Names] = {
    "created": Names("created", "生成表单"),
    "dispatched": Names("dispatched", "调度"),
    "processing": Names("processing", "处理"),
    "rejected": Names("rejected", "反单"),
    "redispatching": Names("waiting to be dispatched again", "重复派单"),
    "completed": Names("completed", "完成"),
    "auditing": Names("under audit", "审核"),
    "archived": Names("archived", "归档"),
    "cancelled": Names("cancelled", "作废"),
    "suspended": Names("suspended", "挂起"),
}
"""Of work orders; `suspended` stands in sentences about what a suspended order allows."""

ACTS: Mapping[str, Names] = {
    "dispatch": Names("dispatch", "调度"),
    "start": Names("start", "开始处理"),
    "reject": Names("reject", "反单"),
    "send_to_redispatch": Names("send to redispatch", "转重复派单"),
    "complete": Names("complete", "完成"),
    "submit_for_audit": Names("submit for audit", "提交审核"),
    "pass_audit": Names("pass the audit", "审核通过"),
    "fail_audit": Names("fail the audit", "审核不通过"),
    "redispatch": Names("redispatch", "重复派单"),
    "archive": Names("archive", "归档"),
    "cancel": Names("cancel", "作废"),
    "suspend": Names("suspend", "挂起"),
    "resume": Names("resume", "恢复"),
    "urge": Names("urge", "催办"),
    "note": Names("note", "备注"),
    "arrive": Names("record the arrival", "到达"),
    "extend": Names("extend", "延期"),
    "reassign": Names("reassign", "改派"),
    "recall": Names("recall", "撤回"),
    "supervise": Names("supervise", "督办"),
    "answer_supervision": Names("answer the supervision", "答复督办"),
    "accept": Names("accept", "接单"),
    "contact": Names("record contact with the subscriber", "联系用户"),
    "amend": Names("amend", "变更"),
}

URGENCIES: Mapping[str, Names] = {
    "normal": Names("normal", "一般"),
    "urgent": Names("urgent", "紧急"),
    "emergency": Names("emergency", "特急"),
}

FACTS: Mapping[str, Names] = {
    "remark": Names("remark", "备注"),
    "departure": Names("departure", "出发"),
    "eta": Names("expected arrival", "预计到达"),
    "note": Names("note", "记录"),
    "reading": Names("reading", "读数"),
    "part": Names("part used", "用料"),
    "acceptance": Names("acceptance", "接单"),
    "contact": Names("contact with the subscriber", "联系用户"),
    "arrival": Names("arrival", "到达"),
}
"""Kinds of facts about an order."""

SERVICES: Mapping[str, Names] = {
    "intake": Names("intake", "受理服务"),
    "dispatch": Names("dispatch", "调度服务"),
    "fieldwork": Names("fieldwork", "外勤服务"),
    "qa": Names("quality assurance", "质检服务"),
    "reporting": Names("reporting", "统计服务"),
}

ROLES: Mapping[str, Names] = {
    "agent": Names("agent", "坐席"),
    "dispatcher": Names("dispatcher", "调度员"),
    "technician": Names("technician", "维修人员"),
    "auditor": Names("auditor", "审核员"),
    "supervisor": Names("supervisor", "主管"),
    "operator": Names("operator", "运维人员"),
    "partner": Names("partner", "合作方"),
    "display": Names("wallboard display", "看板屏幕"),
}

CLOCKS: Mapping[str, Names] = {
    "dispatch": Names("dispatch", "派单"),
    "accept": Names("acceptance", "接单"),
    "contact": Names("first contact", "首次联系"),
    "arrive": Names("arrival", "到达"),
    "complete": Names("completion", "完成"),
    "reply": Names("reply", "答复"),
    "restore": Names("restoration", "恢复供应"),
    "follow_up": Names("follow-up", "回访"),
}
"""What a time limit is for."""

DAY_KINDS: Mapping[str, Names] = {
    "workday": Names("workday", "工作日"),
    "rest": Names("day off", "休息日"),
    "statutory": Names("public holiday", "法定节假日"),
    "make_up": Names("make-up workday", "调休上班日"),
}
"""Of days of a calendar."""

HOLDERS: Mapping[str, Names] = {
    "dispatch": Names("dispatch", "调度"),
    "area": Names("work area", "工区"),
    "staff": Names("repair staff", "维修人员"),
    "qa": Names("quality assurance", "质检"),
    "subscriber": Names("subscriber", "用户"),
    "house": Names("the house", "公司内部"),
}
"""Whose the minutes of an order are 责任方."""

LINK_KINDS: Mapping[str, Names] = {
    "duplicate": Names("duplicate", "重复工单"),
    "same_outage": Names("same outage", "同一停电"),
    "follow_up": Names("follow-up", "后续工单"),
}

FOLLOW_UP_CAUSES: Mapping[str, Names] = {
    "completion": Names("completed orders", "完成的工单"),
    "complaint": Names("complaints", "投诉"),
    "new_subscriber": Names("new subscribers", "新用户"),
    "lost_subscriber": Names("lost subscribers", "流失用户"),
    "list": Names("a list of subscribers", "用户名单"),
}

FOLLOW_UP_STATES: Mapping[str, Names] = {
    "waiting": Names("waiting", "待回访"),
    "taken": Names("taken", "已领取"),
    "ended": Names("ended", "已结束"),
}

REVIEW_STATES: Mapping[str, Names] = {
    "waiting": Names("waiting for an auditor", "待分配"),
    "assigned": Names("assigned", "已分配"),
    "differing": Names("waiting for adjudication", "待仲裁"),
    "settled": Names("settled", "已定"),
}

REPORT_STATES: Mapping[str, Names] = {
    "waiting": Names("waiting", "等待制作"),
    "building": Names("being built", "制作中"),
    "ready": Names("ready", "已就绪"),
    "failed": Names("failed", "制作失败"),
}

REBUILD_STATES: Mapping[str, Names] = {
    "building": Names("building", "重建中"),
    "catching_up": Names("catching up", "追赶中"),
    "comparing": Names("comparing", "比对中"),
    "ready": Names("ready", "已就绪"),
    "switched": Names("switched to", "已启用"),
    "superseded": Names("superseded", "已被取代"),
    "failed": Names("failed", "失败"),
}

SUBSCRIBER_FIELDS: Mapping[str, Names] = {
    "name": Names("name", "姓名"),
    "phones": Names("telephone numbers", "电话"),
    "address": Names("address", "地址"),
    "kind": Names("kind", "用户类别"),
    "zone": Names("zone", "区域类型"),
    "territory": Names("territory", "台区"),
    "notes": Names("notes", "备注"),
}
"""What a partner may set of a subscriber."""

CATALOGUE: Mapping[str, Mapping[str, Names]] = {
    "status": STATUSES,
    "act": ACTS,
    "service": SERVICES,
    "role": ROLES,
    "clock": CLOCKS,
    "urgency": URGENCIES,
    "link_kind": LINK_KINDS,
    "cause": FOLLOW_UP_CAUSES,
    "follow_up_state": FOLLOW_UP_STATES,
    "review_state": REVIEW_STATES,
    "report_state": REPORT_STATES,
    "rebuild_state": REBUILD_STATES,
    "subscriber_field": SUBSCRIBER_FIELDS,
}


def in_language(names: Names, language: str) -> str:
    return names.zh if language == "zh" else names.en
