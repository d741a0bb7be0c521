"""Runs the requests of a command and turns a refusal or a missing answer into a sentence for the user."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from linework.stopped import Stopped

if TYPE_CHECKING:
    from linework.client import ServiceClients

T = TypeVar("T")


def in_installation(
    work: Callable[["ServiceClients"], Awaitable[T]],
    state_folder: Path | None,
    *,
    patience_seconds: float = 20,
    advice: str = "start the installation with `linework up`.",
) -> T:
    """The result of the work; raises `Stopped`, for a missing answer with the advice."""
    from linework.client import NotReached, Patience, Refused, ServiceClients, find_addresses

    async def run() -> T:
        async with ServiceClients(find_addresses(state_folder), patience=Patience(seconds=patience_seconds)) as city:
            return await work(city)

    try:
        return asyncio.run(run())
    except Refused as refusal:
        raise Stopped(refusal.said) from refusal
    except NotReached as error:
        raise Stopped(f"{error}; {advice}") from error
