"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from governance.config import celery  # noqa: F401  (makes it the current app, so that `enqueue` finds the broker)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.config.settings")

application = get_wsgi_application()
