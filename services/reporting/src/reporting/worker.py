"""The worker process of reporting: keeps record and projections, rebuilds on command, files and builds reports, sums
days."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from reporting.consumers import SUBSCRIPTIONS
from reporting.figures.summing import sum_days
from reporting.rebuilds.rebuilding import rebuild_on_command
from reporting.reports.building import build_reports
from reporting.reports.filing import file_reports


def app(settings: Settings) -> FastAPI:
    jobs = [rebuild_on_command, build_reports, file_reports, sum_days]
    return create_worker("reporting", settings, SUBSCRIPTIONS, jobs=jobs)


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("reporting-worker", app(settings), settings, port=settings.worker_port)
