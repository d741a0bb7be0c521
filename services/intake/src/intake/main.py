"""The HTTP process of intake."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from contracts.lifecycle import Service
from intake import api, api_calls, api_knowledge, api_partners, api_people, api_retention, api_subscribers, api_ties
from intake.consumers import SUBSCRIPTIONS
from intake.partners import subscription_finder
from work_orders.http import prepare_orders


def app(settings: Settings) -> FastAPI:
    return create_app(
        "intake",
        settings,
        [
            module.router
            for module in (
                api,
                api_subscribers,
                api_people,
                api_retention,
                api_partners,
                api_calls,
                api_ties,
                api_knowledge,
            )
        ],
        description="Calls, subscribers, work orders from creation to look-up, requests to custodians, knowledge.",
        subscriptions=SUBSCRIPTIONS,
        find_subscription=subscription_finder(settings.master_keys),
        prepare=prepare_orders(Service.INTAKE),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("intake", app(settings), settings, port=settings.http_port)
