"""The seam to asyncpg: the only module that uses its private members."""

import asyncpg


def end_idle(pool: asyncpg.Pool) -> None:
    """Ends the idle connections of a pool without a word to the server.

    What swallows one connection swallows its neighbours: not each of them is to be waited for in turn. The pool's own
    `expire_connections` would say goodbye first and wait for an answer.
    """
    for holder in pool._holders:
        if holder.is_connected() and holder.is_idle():
            holder.terminate()
