from services.dispatch.tests.service import desk, staffed_desk  # noqa: F401
