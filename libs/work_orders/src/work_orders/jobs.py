"""What the worker of every service with orders does beside its consumers."""

from chassis.settings import Settings
from chassis.worker import Job
from work_orders.change_retention import forgetting_changes
from work_orders.rows_without_facets import keep_facets


def jobs_of_orders(settings: Settings) -> list[Job]:
    return [keep_facets, forgetting_changes(settings)]
