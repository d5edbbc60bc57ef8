"""WSGI entry point of the floor: Django alone."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.floor.settings"

application = get_wsgi_application()
