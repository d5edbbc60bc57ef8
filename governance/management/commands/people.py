"""`manage.py people add`: add somebody from the server's command line. That is how the first administrator comes in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.domain.errors import DomainError
from governance.domain.vocabulary import Role
from governance.models import Unit
from governance.selectors.access import SYSTEM
from governance.services.administration import add_person, add_unit, grant_role


class Command(BaseCommand):
    help = "add: a person with roles; makes the unit when it is not there. Prints the first password once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["add"])
        parser.add_argument("username")
        parser.add_argument("--first-name", required=True)
        parser.add_argument("--last-name", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--unit", required=True, help="short name of the business unit")
        parser.add_argument("--role", action="append", default=[], choices=[role.value for role in Role])
        parser.add_argument("--all-units", action="store_true", help="grant the roles in every unit")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unit = Unit.objects.filter(slug=options["unit"]).first() or add_unit(
                caller=SYSTEM, slug=options["unit"], name=options["unit"].replace("-", " ").capitalize()
            )
            person, password = add_person(
                caller=SYSTEM,
                unit=unit,
                **{name: options[name] for name in ("username", "first_name", "last_name", "email")},
            )
            for role in options["role"]:
                grant_role(
                    caller=SYSTEM,
                    person_id=person.pk,
                    role=Role(role),
                    unit=None if options["all_units"] else unit,
                    until=None,
                    reason="set up on the server",
                )
        except DomainError as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(f"{person.username} may sign in with this first password, shown only now: {password}")
