"""The HTTP process of reporting."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from reporting import (
    api,
    api_figures,
    api_filed,
    api_past,
    api_rebuilds,
    api_report_rules,
    api_reports,
    api_rules,
    api_wallboard,
    api_wallboard_rules,
)
from reporting.consumers import SUBSCRIPTIONS
from work_orders.http import prepare_texts


def app(settings: Settings) -> FastAPI:
    return create_app(
        "reporting",
        settings,
        [
            api.router,
            api_figures.router,
            api_past.router,
            api_rebuilds.router,
            api_reports.router,
            api_filed.router,
            api_report_rules.router,
            api_rules.router,
            api_wallboard.router,
            api_wallboard_rules.router,
        ],
        description="The record of every order with its proof, figures that can be recounted, and their rebuilds.",
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_texts,
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("reporting", app(settings), settings, port=settings.http_port)
