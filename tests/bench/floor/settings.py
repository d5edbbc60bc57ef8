"""Settings of the floor: our database and application server, bare views, no app and nothing in between."""

from __future__ import annotations

from governance.config.settings import *  # noqa: F403

INSTALLED_APPS = []
MIDDLEWARE = []
ROOT_URLCONF = "tests.bench.floor.urls"
WSGI_APPLICATION = "tests.bench.floor.wsgi.application"
