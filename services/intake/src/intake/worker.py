"""The worker process of intake: follows the orders, takes what partners send, and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from intake.consumers import SUBSCRIPTIONS
from intake.partners import active_partners
from intake.watching import watch


def app(settings: Settings) -> FastAPI:
    return create_worker("intake", settings, SUBSCRIPTIONS, [watch], active_partners)


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("intake-worker", app(settings), settings, port=settings.worker_port)
