"""`manage.py replay [S-1042]`: evaluate stored track decisions again. Exit 0 when all come out as stored, 2 when one does not."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.selectors.replaying import replay_decisions


class Command(BaseCommand):
    help = "Evaluate stored track decisions again from their stored facts and packs; exit 0 when equal, 2 when not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("submission", nargs="?", help="only this one, such as S-1042")

    def handle(self, *args: Any, **options: Any) -> None:
        given = (options["submission"] or "").removeprefix("S-")
        if given and not given.isdigit():
            raise CommandError("Give a submission as S-1042, or nothing for all.")
        count = wrong = 0
        for found in replay_decisions(submission_id=int(given) if given else None):
            count += 1
            if found.differs:
                wrong += 1
                self.stdout.write(f"S-{found.submission}, decision {found.decision}: {found.differs}")
        equal = f"{count - wrong} of {count} stored decisions come out as they were stored."
        self.stdout.write(equal if count else "No decisions are stored yet.")
        if wrong:
            sys.exit(2)
