"""The HTTP process of fieldwork."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from fieldwork import access
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.field_words import EXAMPLES, TAGS, WORDS
from fieldwork.orders import api as orders
from work_orders import change_stream, supervision
from work_orders.field_words import documentation
from work_orders.http import prepare_orders


def app(settings: Settings) -> FastAPI:
    return create_app(
        "fieldwork",
        settings,
        [orders.router, supervision.router, change_stream.router],
        description="The work areas' lists, and what their staff do: start, arrive, reject, complete, suspend, note.",
        access=access.ROUTES,
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_orders,
        documentation=documentation("fieldwork", tags=TAGS, words=WORDS, examples=EXAMPLES),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("fieldwork", app(settings), settings, port=settings.http_port)
