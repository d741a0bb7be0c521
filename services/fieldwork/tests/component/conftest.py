from services.fieldwork.tests.service import fieldwork  # noqa: F401
