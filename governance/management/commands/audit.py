"""`manage.py audit verify|checkpoint`: recompute the whole trail, or sign it as it stands."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.selectors.audit import verify
from governance.services.checkpoints import (
    exported_checkpoints,
    key_id_of,
    public_bytes,
    signed_text,
    signing_key,
    write_checkpoint,
)


class Command(BaseCommand):
    help = "verify: exit 0 ok, 2 tampered, 3 shorter than a checkpoint, 4 key unknown. checkpoint: sign and export."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify", "checkpoint"])
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "checkpoint":
            made = write_checkpoint()
            self.stdout.write(json.dumps(made.to_json()) if made else "Nothing new since the last checkpoint.")
            return
        key = signing_key().public_key()
        found = verify(checkpoints=exported_checkpoints(), keys={key_id_of(key): public_bytes(key)}, signed_text=signed_text)
        if options["json"]:
            self.stdout.write(
                json.dumps({"outcome": found.outcome.name.lower(), "events": found.events, "seq": found.seq, "says": found.says})
            )
        else:
            self.stdout.write(found.says)
        if found.outcome:
            sys.exit(int(found.outcome))
