"""Why a link is refused."""

from contracts.refusals import Conflict, Invalid, NotFound


class LinkNotFound(NotFound):
    """There is no link {link_id} that you may see."""

    zh = "没有您可以查看的关联 {link_id}。"


class LinkUndone(Conflict):
    """Link {link_id} was undone at {undone_at}."""

    zh = "关联 {link_id} 已于 {undone_at} 解除。"


class LinkKnown(Conflict):
    """The two are linked as {kind} already, by link {link_id}."""

    zh = "二者已通过关联 {link_id} 标为 {kind}。"


class LinkToItself(Invalid):
    """An order cannot be linked to itself."""

    zh = "工单不能与自身关联。"


class LinkedToNothing(Invalid):
    """A link of kind same_outage names an outage, any other another order."""

    zh = "“同一停电”关联须指明停电信息，其他关联须指明另一工单。"
