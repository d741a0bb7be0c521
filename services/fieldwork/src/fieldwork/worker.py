"""The worker process of fieldwork: follows orders and directory, ends suspensions, and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.orders.ending_suspensions import ending_suspensions
from work_orders.change_retention import forgetting_changes
from work_orders.rows_by_limits import keeping_rows_by_limits


def app(settings: Settings) -> FastAPI:
    jobs = [ending_suspensions(settings), forgetting_changes(settings), keeping_rows_by_limits()]
    return create_worker("fieldwork", settings, SUBSCRIPTIONS, jobs)


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("fieldwork-worker", app(settings), settings, port=settings.worker_port)
