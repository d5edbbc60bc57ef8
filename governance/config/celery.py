"""The Celery application. Tasks take ids only and are harmless when delivered twice."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.config.settings")

app = Celery("guiderail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add("governance.config.worker_watch:WorkerWatch")  # by name: only a worker imports it
app.autodiscover_tasks(["governance", "gates", "reviews"])
