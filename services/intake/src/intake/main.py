"""The HTTP process of intake."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from intake import access
from intake.calls import api as calls
from intake.consumers import SUBSCRIPTIONS
from intake.field_words import EXAMPLES, TAGS, WORDS
from intake.knowledge import api as knowledge
from intake.links import api as links
from intake.orders import api as orders
from intake.orders import api_bulk as bulk
from intake.outages import api as outages
from intake.partners import api as partners
from intake.partners.subscriptions import subscription_finder
from intake.privacy import api as people
from intake.privacy import api_retention as retention
from intake.reference import api as order_types
from intake.reference import api_desk_rules as desk_rules
from intake.subscribers import api as subscribers
from work_orders import change_stream, facts_api
from work_orders.field_words import documentation
from work_orders.http import prepare_orders

ROUTERS = [
    orders.router,
    bulk.router,
    facts_api.router,
    change_stream.router,
    subscribers.router,
    order_types.router,
    people.router,
    retention.router,
    partners.router,
    calls.router,
    outages.router,
    links.router,
    desk_rules.router,
    knowledge.router,
]


def app(settings: Settings) -> FastAPI:
    return create_app(
        "intake",
        settings,
        ROUTERS,
        description="Calls, subscribers, work orders from creation to look-up, requests to custodians, knowledge.",
        access=access.ROUTES,
        subscriptions=SUBSCRIPTIONS,
        find_subscription=subscription_finder(settings.master_keys),
        prepare=prepare_orders,
        documentation=documentation("intake", tags=TAGS, words=WORDS, examples=EXAMPLES),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("intake", app(settings), settings, port=settings.http_port)
