"""`manage.py workload`: what so many submissions a month would mean for the people who review."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.domain.workload import Team, simulate
from governance.selectors.access import SYSTEM
from reviews.selectors.workload import workload


class Command(BaseCommand):
    help = "Simulate a year of review at so many submissions a month, with the mix of tracks of the last half year."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--monthly", type=int, nargs="+", default=[5, 50], help="submissions a month; default 5 50")
        parser.add_argument("--analysts", type=int, default=1)
        parser.add_argument("--engineers", type=int, default=2)
        parser.add_argument("--risk-officers", type=int, default=1)
        parser.add_argument("--hours", type=float, default=4.0, help="hours a day each of them has for it; default 4")
        parser.add_argument("--seed", type=int, default=7)

    def handle(self, *args: Any, **options: Any) -> None:
        people = {
            "platform_engineer": options["engineers"],
            "analyst": options["analysts"],
            "risk_officer": options["risk_officers"],
        }
        found = workload(SYSTEM, monthly=())
        mix = ", ".join(f"{share:.0%} {track}" for track, share in found.mix.items())
        self.stdout.write(f"Mix of tracks{' (assumed)' if found.assumed else ''}: {mix}")
        for monthly in options["monthly"]:
            try:
                run = simulate(monthly, shares=found.mix, team=Team(people, options["hours"]), seed=options["seed"])
            except ValueError as exc:
                raise CommandError(str(exc)) from exc
            keeps = "people keep up" if run.sustainable else "people do NOT keep up"
            self.stdout.write(f"\n{monthly} a month: {keeps}; {run.by_nobody:.0%} need nobody")
            for row in run.outcomes:
                self.stdout.write(
                    f"  {row.track:<7} {row.number:>5} cases a year, half within {row.median:.1f} working hours, "
                    f"nine of ten within {row.ninetieth:.1f}, {row.late:.0%} of the steps late"
                )
            used = ", ".join(f"{role} {share:.0%}" for role, share in run.busy.items())
            self.stdout.write(f"  hours used: {used}")
