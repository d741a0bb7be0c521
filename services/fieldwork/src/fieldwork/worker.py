"""The worker process of fieldwork: follows orders and directory, and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from fieldwork.consumers import SUBSCRIPTIONS
from work_orders.jobs import jobs_of_orders
from work_orders.rows_by_limits import keeping_rows_by_limits


def app(settings: Settings) -> FastAPI:
    return create_worker("fieldwork", settings, SUBSCRIPTIONS, [*jobs_of_orders(settings), keeping_rows_by_limits()])


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("fieldwork-worker", app(settings), settings, port=settings.worker_port)
