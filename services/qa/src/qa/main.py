"""The HTTP process of qa."""

from fastapi import FastAPI

from chassis.http import create_app, serve
from chassis.settings import Settings
from qa import access, api, api_bulk, api_rules, scope
from qa.calibration import api as calibration
from qa.consumers import SUBSCRIPTIONS
from qa.evaluation import api as evaluation
from qa.evaluation import api_appeals as appeals
from qa.evaluation import api_forms as forms
from qa.field_words import EXAMPLES, TAGS, WORDS
from qa.follow_up import api as follow_ups
from qa.follow_up import api_findings as findings
from qa.follow_up import api_projects as projects
from qa.recordings import api as recordings
from qa.sampling import api as sampling
from qa.typical_cases import api as typical_cases
from work_orders import change_stream, facts_api, supervision
from work_orders.field_words import documentation
from work_orders.http import prepare_orders

ROUTERS = [
    api.router,
    supervision.router,
    api_bulk.router,
    facts_api.router,
    change_stream.router,
    recordings.router,
    sampling.router,
    forms.router,
    evaluation.router,
    appeals.router,
    calibration.router,
    typical_cases.router,
    projects.router,
    follow_ups.router,
    findings.router,
    api_rules.router,
]


def _prepare(app: FastAPI) -> None:
    # An evaluation and a draw can speak of the same recording: no row lock covers its key.
    prepare_orders(app, locks_keys=True)
    app.state.answer_again = scope.again


def app(settings: Settings) -> FastAPI:
    return create_app(
        "qa",
        settings,
        ROUTERS,
        description="Completed orders, their audit, and the archive; recordings, samples, evaluations, follow-ups.",
        access=access.ROUTES,
        subscriptions=SUBSCRIPTIONS,
        prepare=_prepare,
        documentation=documentation("qa", tags=TAGS, words=WORDS, examples=EXAMPLES),
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("qa", app(settings), settings, port=settings.http_port)
