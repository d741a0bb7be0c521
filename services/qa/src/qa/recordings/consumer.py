"""What qa does with `calls`: keeps the facts that say something about recordings."""

from collections.abc import Sequence

from chassis.database import Transaction
from contracts.message import Message
from qa.recordings import store
from qa.recordings.domain.recording import KEPT


async def on_calls(messages: Sequence[Message], tx: Transaction) -> None:
    """Takes a batch in; late, repeated and corrected facts end in the same recordings."""
    facts = [message for message in messages if isinstance(message.body, KEPT)]
    if facts:
        await store.keep_facts(tx, facts)
        await store.fold_again(tx, {message.subject for message in facts})
