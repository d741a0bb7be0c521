"""What agents type about calls, sealed under the subscriber's key and opened in answers.

A call whose subscriber is unknown has no key: its words are in plain until the subscriber is known, and are sealed
then. Those of callers who stay unknown are blanked after a time (`intake.privacy.retention`).
"""

from collections.abc import Mapping

from chassis.database import Transaction
from contracts.sealing import SEALED
from work_orders.sealing import Sealer

TEXTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "call_records": (
        "call_id",
        ("organisation", "caller_name", "caller_position", "content", "remark", "handling_opinion"),
    ),
    "referrals": ("id", ("question", "answer")),
    "cases": ("id", ("content", "contact", "reply")),
}
"""By table: the column whose value the texts are sealed for, and the columns with texts."""

RECORD_TEXTS = TEXTS["call_records"][1]
BLANKED = {
    table: ", ".join(f"{column} = case when {column} is not null then '' end" for column in columns)
    for table, (_, columns) in TEXTS.items()
}
"""SQL that sets the texts of a table to nothing."""


async def seal_texts(tx: Transaction, call_id: str, sealer: Sealer) -> None:
    """Seals what was written about a call before its subscriber was known."""
    for table, (subject, columns) in TEXTS.items():
        rows = await tx.fetch(f"select {subject}, {', '.join(columns)} from {table} where call_id = $1", call_id)
        for row in rows:
            texts = [row[column] for column in columns]
            sealed = [text if not text or SEALED.fullmatch(text) else sealer(text, row[subject]) for text in texts]
            pairs = ", ".join(f"{column} = ${place}" for place, column in enumerate(columns, start=2))
            await tx.execute(f"update {table} set {pairs} where {subject} = $1", row[subject], *sealed)
