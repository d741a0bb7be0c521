"""What a link is: two orders, or an order and an outage, that belong together; and why one is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.refusals import Conflict, Invalid, NotFound


class LinkNotFound(NotFound):
    """There is no link {link_id} that you may see."""

    zh = "没有您可以查看的关联 {link_id}。"


class LinkUndone(Conflict):
    """Link {link_id} was already removed at {undone_at:time}."""

    zh = "关联 {link_id} 已于 {undone_at:time}解除。"


class LinkKnown(Conflict):
    """The two orders are already linked ({kind:link_kind}) by link {link_id}."""

    zh = "二者已通过关联 {link_id} 标为“{kind:link_kind}”。"


class LinkToItself(Invalid):
    """An order cannot be linked to itself."""

    zh = "工单不能与自身关联。"


class LinkedToNothing(Invalid):
    """A link of kind same_outage must name an outage, any other kind an order."""

    zh = "“同一停电”关联须指明停电信息，其他关联须指明另一工单。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as it is stored: `reason` is sealed under the key of the order's subscriber."""

    id: str
    order_id: str
    kind: LinkKind
    other_order_id: str | None = None
    outage_id: str | None = None
    reason: str
    linked_by: str
    linked_at: datetime
    undone_by: str | None = None
    undone_at: datetime | None = None

    @property
    def order_ids(self) -> tuple[str, ...]:
        return (self.order_id,) if self.other_order_id is None else (self.order_id, self.other_order_id)

    def check_ends(self) -> None:
        """Raises `LinkedToNothing` or `LinkToItself`."""
        is_of_outage = self.kind is LinkKind.SAME_OUTAGE
        if is_of_outage != (self.outage_id is not None) or (self.outage_id or self.other_order_id) is None:
            raise LinkedToNothing()
        if self.other_order_id == self.order_id:
            raise LinkToItself()

    def linked(self, known: Iterable[str]) -> WorkOrderLinked:
        """The event; raises `LinkKnown` where such a link stands already, of which `known` has the id."""
        for link_id in known:
            raise LinkKnown(kind=self.kind.value, link_id=link_id)
        return WorkOrderLinked(
            link_id=self.id, kind=self.kind, other_order_id=self.other_order_id, outage_id=self.outage_id
        )

    def undo(self, *, by: str, now: datetime) -> tuple["Link", WorkOrderUnlinked]:
        """The link as it stays on record, and the event; raises `LinkUndone`."""
        if self.undone_at is not None:
            raise LinkUndone(link_id=self.id, undone_at=self.undone_at.isoformat())
        return replace(self, undone_by=by, undone_at=now), WorkOrderUnlinked(link_id=self.id)
