"""Gates and collectors that other distributions bring: what is installed here, and whether it is what a policy pack pins.

A distribution offers each by an entry point: group `guiderail.gates`, named by the gate's code, or `guiderail.collectors`,
named by the collector. Nothing of it is imported to answer.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from governance.policy import Pack
from governance.policy.gate_use import PluginPin
from governance.policy.lessons import lessons

GATES, COLLECTORS = "guiderail.gates", "guiderail.collectors"


@dataclass(frozen=True)
class Plugin:
    """An installed distribution. `digest`: over the sources of the packages it offers something from."""

    distribution: str
    version: str
    digest: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Offer:
    """One entry point: a gate's code or a collector's name, and the module that holds it."""

    group: str
    name: str
    module: str
    plugin: Plugin


@functools.cache
def offers() -> tuple[Offer, ...]:
    """What installed distributions offer, in order of group and name."""
    found = []
    for distribution in metadata.distributions():
        points = [point for point in distribution.entry_points if point.group in (GATES, COLLECTORS)]
        if points:
            packages = sorted({point.module.partition(".")[0] for point in points})
            plugin = Plugin(_normal(distribution.metadata["Name"]), distribution.version, _digest(packages))
            found += [Offer(point.group, point.name, point.module, plugin) for point in points]
    # the first on the path wins, as for imports
    once = {(offer.group, offer.name, offer.plugin.distribution): offer for offer in reversed(found)}
    return tuple(once[key] for key in sorted(once))


def provider(code: str) -> Plugin | None:
    """The installed distribution that offers a gate, or None."""
    return next((offer.plugin for offer in offers() if offer.group == GATES and offer.name == code), None)


def pin_problem(code: str, pin: PluginPin | None, found: Plugin | None) -> str:
    """Why a gate from `found` is not what the policy pins, with the way out; "" when it is, or when neither is a plug-in."""
    if pin is None:
        return (
            f"{code} comes from the plug-in {found}, and the policy does not pin it. Write “plugin: {{distribution: "
            f"{found.distribution}, version: “{found.version}”, digest: “{found.digest}”}}” beside the gate in the pack."
            if found is not None
            else ""
        )
    pinned = f"{code} is pinned to the plug-in {pin.distribution} {pin.version}"
    if found is None or found.distribution != _normal(pin.distribution):
        what = "which is not installed here" if found is None else f"but here it comes from {found}"
        return f"{pinned}, {what}. Install it for web servers and workers, or take the gate out of the pack."
    if found.version != pin.version:
        return (
            f"{pinned}, but {found.version} is installed. Install the pinned one, or pin the other in a new version of the pack."
        )
    if pin.digest and found.digest != pin.digest:
        return (
            f"{pinned}, and its files here are not the pinned ones ({found.digest[:19]}…, pinned {pin.digest[:19]}…). "
            "Install what was approved, or pin the new files in a new version of the pack."
        )
    return ""


def pack_problems(pack: Pack) -> list[str]:
    """Every gate of a pack that is not what it pins, and every lesson it asks for that is not installed here."""
    found = [pin_problem(use.gate, use.plugin, provider(use.gate)) for use in pack.gates]
    return [*(problem for problem in found if problem), *_lessons_missing(pack)]


def _lessons_missing(pack: Pack) -> list[str]:
    """A lesson nobody can take would stop everybody, so a pack that asks for one does not come into force."""
    steps = (*(step for plan in pack.document.tracks.values() for step in plan.steps), *pack.document.added_steps)
    asked = {name for step in steps if step.requires_learning is not None for name in step.requires_learning.lessons}
    known = {lesson.lesson for lesson in lessons()}
    return [
        f"The pack asks for the lesson “{name}”, which is not there. It can ask for: {', '.join(sorted(known))}."
        for name in sorted(asked - known)
    ]


def forget() -> None:
    """Look again at the next question: something was installed while running."""
    offers.cache_clear()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(packages: list[str]) -> str:
    """SHA-256 over names and contents of the packages' sources, in order; installed or editable, the same files give the same."""
    whole = hashlib.sha256()
    for package in packages:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec is not None else []:
            for file in sorted(Path(place).rglob("*.py")):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                whole.update(f"{package}/{file.relative_to(place).as_posix()} {content}\n".encode())
    return f"sha256:{whole.hexdigest()}"
