"""`manage.py preview_local < body.json > answer.json`: what `guiderail preview --local` asks. No database, no network."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from gates.management.local import pack_at
from governance.domain.errors import DomainError, InvalidInput
from governance.policy.errors import PackError
from governance.services.packs import PACKS
from reviews.selectors.verdict_texts import RENDERED
from reviews.services.local_preview import body_from, preview_locally


class Command(BaseCommand):
    """Exit code 0 with the document on standard output, or 2 with what is wrong."""

    requires_system_checks = ()
    help = "Judge the files a body names, without server or database. For the client's preview --local."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            given = json.load(sys.stdin)
            if not isinstance(given, dict):
                raise InvalidInput("The body is no JSON object.")
            kind = str(given.get("kind") or "ml_model")
            if not kind.isidentifier():
                raise InvalidInput(f"There is no kind {kind!r}.")
            document = preview_locally(**body_from(given), pack=pack_at(PACKS / f"{kind}.yaml"))
            render = RENDERED.get(str(given.get("render") or ""))
            rendered = render(document) if render is not None else ""
            self.stdout.write(json.dumps({"document": document, "rendered": rendered}, ensure_ascii=False, default=str))
        except (DomainError, PackError, ValueError) as exc:
            errors = [f"{each.pointer}: {each.detail}" for each in getattr(exc, "errors", ())]
            self.stdout.write(json.dumps({"problem": getattr(exc, "detail", str(exc)), "errors": errors}))
            sys.exit(2)
