"""`manage.py simulate FOLDER`: a seeded portfolio with known disparity, drift, leakage and explanation change, as files."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gates.simulator.folder import simulate
from gates.simulator.planting import Dials
from gates.simulator.populations import PORTFOLIOS

_HELP = {
    "seed": "everything follows from it",
    "rows": "rows of the evaluation",
    "training_rows": "rows of the training data",
    "disparity": "log-odds by which training labels of women are raised; 1 is a lot",
    "drift": "standard deviations by which the leading feature moves; 0.5 is a lot",
    "leak": "share of rows in which a feature copies the label",
    "overlap": "share of the evaluation rows that are training rows",
    "forget": "a feature that the champion reads and the candidate does not",
}


class Command(BaseCommand):
    """Known truth as files, to try gates on."""

    requires_system_checks = ()
    help = (
        "Write a seeded portfolio with known faults: data, models, metadata, submission.json, truth.json with what was planted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--portfolio", choices=sorted(PORTFOLIOS), default=Dials.portfolio)
        kinds = {field.name: type(getattr(Dials, field.name)) for field in fields(Dials)}
        for name, words in _HELP.items():
            default = getattr(Dials, name)
            parser.add_argument(
                f"--{name.replace('_', '-')}", type=kinds[name], default=default, help=f"{words} ({default or 'none'})"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dials = Dials(options["portfolio"], **{name: options[name] for name in _HELP})
        except ValueError as exc:
            raise CommandError(str(exc), returncode=2) from exc
        folder: Path = options["folder"]
        if folder.exists() and any(folder.iterdir()) and not (folder / "truth.json").exists():
            raise CommandError(f"{folder} holds other files. Name an empty folder, or one written by this command.", returncode=2)
        for truth in simulate(dials, folder):
            group = f" [{truth.group}]" if truth.group else ""
            self.stdout.write(f"{truth.gate}  {truth.metric}{group} is {truth.value:.4f} {truth.text} ({truth.known_from})")
        self.stdout.write(f"Written to {folder}. Try: manage.py gates run GF101 --folder {folder}")
