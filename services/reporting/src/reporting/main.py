"""The HTTP process of reporting."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from reporting import access
from reporting.consumers import SUBSCRIPTIONS
from reporting.field_words import EXAMPLES, TAGS, WORDS
from reporting.figures import api as figures
from reporting.figures import rules_api as figure_rules
from reporting.past import api as past
from reporting.rebuilds import api as rebuilds
from reporting.record import api as record
from reporting.reports import api as reports
from reporting.reports import filed_api as filed_reports
from reporting.reports import rules_api as report_rules
from reporting.wallboard import api as wallboard
from reporting.wallboard import rules_api as wallboard_rules
from work_orders.field_words import documentation
from work_orders.http import prepare_texts

# In the order of the published OpenAPI document.
_FEATURES = (
    record,
    figures,
    past,
    rebuilds,
    reports,
    filed_reports,
    report_rules,
    figure_rules,
    wallboard,
    wallboard_rules,
)


def app(settings: Settings) -> FastAPI:
    return create_app(
        "reporting",
        settings,
        [feature.router for feature in _FEATURES],
        description="The record of every order with its proof, figures that can be recounted, and their rebuilds.",
        access=access.ROUTES,
        subscriptions=SUBSCRIPTIONS,
        prepare=prepare_texts,
        documentation=documentation("reporting", tags=TAGS, words=WORDS, examples=EXAMPLES),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("reporting", app(settings), settings, port=settings.http_port)
