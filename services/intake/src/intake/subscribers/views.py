"""Subscribers as they are searched and shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from chassis.database import Database
from chassis.paging import from_cursor, page_of
from contracts.look_alikes import LookAlike
from intake.subscribers import store
from intake.subscribers.domain import Subscriber


class ContactOfOrder(BaseModel):
    """Whom to contact about an order, where that is not its subscriber."""

    id: str
    """The order's `contact_id`, or an earlier one."""
    name: str
    phone: str


class SubscriberOfOrder(BaseModel):
    id: str
    version: int
    subscriber_no: str
    name: str
    phones: list[str]
    address: str
    kind: str
    zone: str
    territory: str | None
    notes: str
    is_masked: bool
    look_alikes: list[LookAlike] = []
    """In the answer to a command only: what of it people may take for something else."""
    contacts: list[ContactOfOrder] = []
    """With an order only: the contacts that it has had, the present one first."""


@dataclass(frozen=True, slots=True)
class SubscriberSearch:
    subscriber_no: str | None = None
    phone: str | None = None
    name: str | None = None
    address: str | None = None
    kind: str | None = None
    notes: str | None = None


async def subscribers(
    db: Database, wanted: SubscriberSearch, *, cursor: str | None, limit: int
) -> tuple[Sequence[Subscriber], str | None]:
    """A page of subscribers by number, phone or kind exactly, name or address from its beginning, words of notes."""
    (after,) = from_cursor("subscribers", cursor, str) if cursor else ("",)
    async with db.statements() as statements:
        rows = await statements.fetch(
            f"""select {store.SUBSCRIBER} from subscribers
               where ($1::text is null or subscriber_no = $1 or plain_reference(subscriber_no) = $1)
                 and ($2::text is null or phones && same_number($2))
                 and ($3::text is null or name like $3) and ($4::text is null or address like $4) and id > $5
                 and ($6::text is null or kind = $6) and ($7::text is null or position($7 in notes) > 0)
               order by id limit $8""",
            wanted.subscriber_no,
            wanted.phone,
            _starting_with(wanted.name),
            _starting_with(wanted.address),
            after,
            wanted.kind,
            wanted.notes,
            limit + 1,
        )
    return page_of("subscribers", [store.to_subscriber(row) for row in rows], limit, lambda found: (found.id,))


def _starting_with(text: str | None) -> str | None:
    if text is None:
        return None
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
