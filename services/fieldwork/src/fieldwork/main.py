"""The HTTP process of fieldwork."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from fieldwork import access
from fieldwork.batches import api as batches
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.facts import api as facts
from fieldwork.field_words import EXAMPLES, TAGS, WORDS
from fieldwork.orders import api as orders
from work_orders import change_stream, facts_api, supervision
from work_orders.field_words import documentation
from work_orders.http import prepare_orders


def app(settings: Settings) -> FastAPI:
    return create_app(
        "fieldwork",
        settings,
        [orders.router, facts.router, batches.router, facts_api.router, supervision.router, change_stream.router],
        description="The work areas' lists, what their staff decide, and what they report from the field.",
        access=access.ROUTES,
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_orders,
        documentation=documentation("fieldwork", tags=TAGS, words=WORDS, examples=EXAMPLES),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("fieldwork", app(settings), settings, port=settings.http_port)
