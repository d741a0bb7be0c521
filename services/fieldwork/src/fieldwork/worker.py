"""The worker process of fieldwork: follows orders and directory, ends suspensions, and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.orders.ending_suspensions import ending_suspensions
from work_orders.jobs import jobs_of_orders
from work_orders.rows_by_limits import keeping_rows_by_limits


def app(settings: Settings) -> FastAPI:
    jobs = [*jobs_of_orders(settings), keeping_rows_by_limits(), ending_suspensions(settings)]
    return create_worker("fieldwork", settings, SUBSCRIPTIONS, jobs)


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("fieldwork-worker", app(settings), settings, port=settings.worker_port)
