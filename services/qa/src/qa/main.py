"""The HTTP process of qa."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from contracts.lifecycle import Service
from custody.http import prepare_orders
from qa import api
from qa.consumers import SUBSCRIPTIONS


def app(settings: Settings) -> FastAPI:
    return create_app(
        "qa",
        settings,
        [api.router],
        description="Completed orders, their audit, and the archive.",
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_orders(Service.QA),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("qa", app(settings), settings, port=settings.http_port)
