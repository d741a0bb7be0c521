"""The HTTP process of intake."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from contracts.lifecycle import Service
from custody.http import prepare_orders
from intake import api, api_subscribers
from intake.consumers import SUBSCRIPTIONS


def app(settings: Settings) -> FastAPI:
    return create_app(
        "intake",
        settings,
        [api.router, api_subscribers.router],
        description="Subscribers, the creation of work orders, look-up, and requests to an order's custodian.",
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_orders(Service.INTAKE),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("intake", app(settings), settings, port=settings.http_port)
