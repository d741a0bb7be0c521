"""The worker process of intake: follows the orders, takes what partners send, publishes, keeps no data too long."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from intake.calls.reminders import watch
from intake.consumers import SUBSCRIPTIONS
from intake.partners.replaying import send_replays
from intake.partners.subscriptions import active_partners
from intake.privacy.retention import retention_of
from work_orders.jobs import jobs_of_orders
from work_orders.rows_by_limits import keeping_rows_by_limits


def app(settings: Settings) -> FastAPI:
    jobs = [watch, retention_of(settings), *jobs_of_orders(settings), keeping_rows_by_limits(), send_replays]
    return create_worker("intake", settings, SUBSCRIPTIONS, jobs, active_partners(settings.master_keys))


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("intake-worker", app(settings), settings, port=settings.worker_port)
