"""The worker process of fieldwork: follows orders and directory, ends suspensions, and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.orders.ending_suspensions import ending_suspensions


def app(settings: Settings) -> FastAPI:
    return create_worker("fieldwork", settings, SUBSCRIPTIONS, [ending_suspensions(settings)])


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("fieldwork-worker", app(settings), settings, port=settings.worker_port)
