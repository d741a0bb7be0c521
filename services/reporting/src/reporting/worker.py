"""The worker process of reporting: keeps the record and the projections, rebuilds them on command, builds reports."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from reporting.consumers import SUBSCRIPTIONS
from reporting.rebuild import rebuild_on_command
from reporting.reports.building import build_reports


def app(settings: Settings) -> FastAPI:
    return create_worker("reporting", settings, SUBSCRIPTIONS, jobs=[rebuild_on_command, build_reports])


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("reporting-worker", app(settings), settings, port=settings.worker_port)
