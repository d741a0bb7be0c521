from services.intake.tests.service import intake  # noqa: F401
