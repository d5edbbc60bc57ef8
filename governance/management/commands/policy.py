"""`manage.py policy load [FILE…]`: check packs and put them in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.domain.errors import DomainError
from governance.selectors.access import SYSTEM
from governance.services.packs import PACKS, load_pack_file


class Command(BaseCommand):
    help = "Load policy packs: the shipped ones, or the files named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["load"])
        parser.add_argument("files", nargs="*", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["files"] or sorted(PACKS.glob("*.yaml")):
            try:
                row, created = load_pack_file(caller=SYSTEM, path=path)
            except DomainError as exc:
                raise CommandError(f"{path}: {exc.detail}") from exc
            self.stdout.write(
                f"{row.name} {row.version} {'put in force' if created else 'is already loaded'} ({row.digest[:19]}…)"
            )
