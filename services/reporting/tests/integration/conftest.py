from services.reporting.tests.service import empty, reporting, reporting_database, second_connection  # noqa: F401
