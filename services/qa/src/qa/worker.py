"""The worker process of qa: follows orders and directory, and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from qa.consumers import SUBSCRIPTIONS
from qa.follow_up.store import calendars_in_use
from work_orders.calendar_coverage import watching
from work_orders.jobs import jobs_of_orders
from work_orders.rows_by_limits import keeping_rows_by_limits


def app(settings: Settings) -> FastAPI:
    jobs = [watching("follow_ups", calendars_in_use), *jobs_of_orders(settings), keeping_rows_by_limits()]
    return create_worker("qa", settings, SUBSCRIPTIONS, jobs)


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("qa-worker", app(settings), settings, port=settings.worker_port)
