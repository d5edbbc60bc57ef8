"""`manage.py demo`: the demo organisation. People first (fast), the cases with `--stories` (needs a running worker)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from governance.models import Unit
from governance.ui.demo_sign_in import sign_in_path
from reviews.demo.people import PASSWORD, PEOPLE, load_people, load_tokens


class Command(BaseCommand):
    help = "Load the demo organisation and write demo.json; with --stories also its cases, gates run by the workers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--home", type=Path, default=None, help="where demo.json goes (default: GUIDERAIL_HOME)")
        parser.add_argument("--stories", action="store_true", help="hand in the demo cases")
        parser.add_argument(
            "--data", type=Path, default=None, help="with --stories: add cases made from the public data in this folder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home: Path = options["home"] or settings.HOME
        people = load_people()
        if not options["stories"]:
            demo = {
                "url": settings.PUBLIC_URL,
                "tokens": load_tokens(people),
                "password": PASSWORD,
                "people": {
                    demo.username: {
                        "role": demo.role.value,
                        "name": people[demo.username].name,
                        "login_url": settings.PUBLIC_URL + sign_in_path(people[demo.username]),
                    }
                    for demo in PEOPLE
                },
            }
            target = home / "demo.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.write_text(json.dumps(demo, indent=2) + "\n", encoding="utf-8")
            self.stdout.write(f"wrote {target}")
            return
        # training libraries load only when cases are made
        from reviews.demo.cast import Cast, tell
        from reviews.demo.learning import lessons_taken
        from reviews.demo.other_kinds import OTHER_KINDS
        from reviews.demo.policy_change import stricter_limit
        from reviews.demo.publicdata import tell_public
        from reviews.demo.stories import STORIES
        from reviews.demo.webhook import webhook_switched_off

        cast = Cast(
            people, {unit.slug: unit for unit in Unit.objects.all()}, lambda text: self.stdout.write(f"demo case: {text}")
        )
        lessons_taken(cast)
        webhook_switched_off(cast)
        tell(cast, home, (*STORIES, *OTHER_KINDS))
        if options["data"]:
            tell_public(cast, options["data"])
        stricter_limit(cast)
        self.stdout.write("The demo organisation is complete.")
