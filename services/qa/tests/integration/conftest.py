from services.qa.tests.service import clock, qa  # noqa: F401
