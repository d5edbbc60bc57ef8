#!/usr/bin/env python
"""Django's command line for Guiderail."""

import importlib
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.config.settings")
    importlib.import_module("governance.config.celery")  # the current Celery app, so that `enqueue` finds the broker
    execute_from_command_line(sys.argv)
