"""The peer's Django site in one file; run by the Python of the peer's own folder, never by Linework's.

As an operator would set it up for speed: no debugging, connections to PostgreSQL that last, templates that are
compiled once, tokens instead of passwords at each request, and nothing that runs beside the requests: no e-mail, no
webhooks, no Celery, no checks of mailboxes.
"""

import os
import sys

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

QUEUE = "bench"

settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ["PEER_SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PEER_DATABASE_HOST"],
            "PORT": os.environ["PEER_DATABASE_PORT"],
            "NAME": os.environ["PEER_DATABASE_NAME"],
            "USER": os.environ["PEER_DATABASE_USER"],
            "PASSWORD": os.environ["PEER_DATABASE_PASSWORD"],
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.humanize",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.sites",
        "django.contrib.staticfiles",
        "rest_framework",
        "rest_framework.authtoken",
        "helpdesk.apps.HelpdeskConfig",
    ],
    # Of Django's own list what the API needs; CommonMiddleware gives answers the length that keeping alive needs.
    MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework.authentication.TokenAuthentication",
            "rest_framework.authentication.SessionAuthentication",
        ],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    HELPDESK_TEAMS_MODE_ENABLED=False,
    HELPDESK_DEFAULT_SETTINGS={"email_on_ticket_change": False, "email_on_ticket_assign": False},
    LOGGING_CONFIG=None,
    SITE_ID=1,
    STATIC_URL="/static/",
    TIME_ZONE="UTC",
    USE_TZ=True,
)
django.setup()
urlpatterns = [path("", include("helpdesk.urls"))]
application = get_wsgi_application()


def prepare() -> tuple[str, str]:
    """Tables, a queue, and a member of staff; returns a token and a session of that person."""
    from django.contrib import auth
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from helpdesk.models import Queue
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    staff = auth.get_user_model().objects.create_superuser("bench-staff")
    Queue.objects.create(title=QUEUE, slug=QUEUE)
    session = SessionStore()
    session[auth.SESSION_KEY] = str(staff.pk)
    session[auth.BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[auth.HASH_SESSION_KEY] = staff.get_session_auth_hash()
    session.save()
    return Token.objects.create(user=staff).key, session.session_key


def fill(open_tickets: int) -> None:
    """Adds open tickets, as one creation each makes them, until there are so many."""
    from helpdesk.models import FollowUp, Queue, Ticket

    missing = open_tickets - Ticket.objects.filter(status=Ticket.OPEN_STATUS).count()
    body = "no picture since this morning " + "x" * 450
    queue = Queue.objects.get(slug=QUEUE)
    tickets = Ticket.objects.bulk_create(
        Ticket(title="bench", queue=queue, description=body) for _ in range(max(0, missing))
    )
    FollowUp.objects.bulk_create(
        FollowUp(ticket=ticket, title="Ticket Opened", public=True, comment=body) for ticket in tickets
    )


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        print(*prepare())
    else:
        fill(int(sys.argv[1]))
