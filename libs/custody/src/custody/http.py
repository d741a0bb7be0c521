"""What a service with orders adds to its HTTP process."""

from collections.abc import Callable

from fastapi import FastAPI

from contracts.lifecycle import Service
from custody.record import Orders


def prepare_orders(service: Service) -> Callable[[FastAPI], None]:
    """Puts the service's `Orders` where its routes find them, once the database is there."""

    def prepare(app: FastAPI) -> None:
        state = app.state
        state.orders = Orders(
            service, state.db, state.wakeup, state.clock, catch_up_seconds=state.settings.catch_up_seconds
        )

    return prepare
