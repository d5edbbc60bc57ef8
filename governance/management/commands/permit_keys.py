"""`manage.py permit_keys list|new`: the keys that sign permits' attestations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.services.signing import new_signing_key, published_keys


class Command(BaseCommand):
    help = "list: the published keys, the signing one first. new: make the key that signs from now on; older ones stay published."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["list", "new"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "new":
            self.stdout.write(f"{new_signing_key()} signs from now on. Tell those who keep our keys; the page has it already.")
            return
        for row in published_keys()["keys"]:
            self.stdout.write(row["kid"])
