"""How much a metadata file may hold. Real ones are a few kilobytes; the limits keep hostile ones from costing anything."""

from __future__ import annotations

MAX_BYTES = 2_000_000
MAX_DEPTH = 64
MAX_NODES = 50_000
MAX_TEXT = 100_000
MAX_KEY = 1_000
MAX_INTEGER = 2**53 - 1
MAX_PROBLEMS = 100
MAX_NAME = 255
MAX_LOCATOR = 500
MAX_STATED = 200
MAX_CARD_TEXT = 200_000
