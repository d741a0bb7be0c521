"""The worker process of dispatch: follows the orders and publishes."""

from fastapi import FastAPI

from chassis.http import serve
from chassis.settings import Settings
from chassis.worker import create_worker
from dispatch import views
from dispatch.alarms import store as alarms_store
from dispatch.alarms.monitor import watch_limits
from dispatch.consumers import SUBSCRIPTIONS
from work_orders.calendar_coverage import watching
from work_orders.jobs import jobs_of_orders
from work_orders.rows_by_limits import keeping_rows_by_limits


def app(settings: Settings) -> FastAPI:
    jobs = [
        watching("time_limits", views.calendars_in_use),
        *jobs_of_orders(settings),
        keeping_rows_by_limits(alarms_store.plan_by_limits),
        watch_limits,
    ]
    return create_worker("dispatch", settings, SUBSCRIPTIONS, jobs)


if __name__ == "__main__":
    settings = Settings.from_environment()
    serve("dispatch-worker", app(settings), settings, port=settings.worker_port)
