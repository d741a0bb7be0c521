"""The HTTP process of dispatch."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from dispatch import access, api, api_bulk, api_calendars, api_directory, api_handling_rules, api_limits
from dispatch.alarms import api as alarms_api
from dispatch.consumers import SUBSCRIPTIONS
from dispatch.field_words import EXAMPLES, TAGS, WORDS
from work_orders import change_stream, facts_api, supervision
from work_orders.field_words import documentation
from work_orders.http import prepare_orders

ROUTERS = [
    api.router,
    supervision.router,
    api_bulk.router,
    facts_api.router,
    change_stream.router,
    api_directory.router,
    api_calendars.router,
    api_limits.router,
    api_handling_rules.router,
    alarms_api.router,
]


def app(settings: Settings) -> FastAPI:
    return create_app(
        "dispatch",
        settings,
        ROUTERS,
        description="Work areas and their staff, the dispatch of work orders, and rulings on rejections.",
        access=access.ROUTES,
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_orders,
        documentation=documentation("dispatch", tags=TAGS, words=WORDS, examples=EXAMPLES),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("dispatch", app(settings), settings, port=settings.http_port)
