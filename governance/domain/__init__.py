"""Pure vocabulary and rules of the record. Imports neither Django nor Celery nor numpy."""
