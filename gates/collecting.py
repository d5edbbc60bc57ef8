"""What goes into a collector and what comes out of it: plain data that travels as JSON between worker and child process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gates.spec import Measure


class EvidenceProblem(Exception):
    """An evidence file cannot be used as it is.

    The message names the file, the column (if one), what was expected and found, and the way out.
    """

    def __init__(self, *, file: str, expected: str, found: str, way_out: str, column: str = "") -> None:
        self.file, self.column, self.expected, self.found, self.way_out = file, column, expected, found, way_out
        where = f"{file}, column “{column}”" if column else file
        super().__init__(f"{where}: expected {expected}, found {found}. {way_out}")


@dataclass(frozen=True)
class EvidenceInput:
    """One evidence file as a collector gets it.

    `path`: where the read-only bytes are; `name`: what the submitter called it (for messages only);
    `columns`: role of column -> column name or list of names (`label`, `prediction`, `score`, `id`, `weight`, `sensitive`,
    `features`, `time`);
    `format`: declared format, checked against the content.
    """

    role: str
    path: str
    name: str
    sha256: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    format: str = ""


@dataclass(frozen=True)
class Inputs:
    """Everything one collector may look at. `facts`: best known value per fact name. `settings`: numbers from the pack, by
    name."""

    evidence: Mapping[str, EvidenceInput] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 20260101

    def to_json(self) -> dict[str, Any]:
        return {
            "evidence": {role: asdict(item) for role, item in self.evidence.items()},
            "facts": dict(self.facts),
            "settings": dict(self.settings),
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Inputs:
        evidence = {role: EvidenceInput(**item) for role, item in data["evidence"].items()}
        return cls(evidence, data["facts"], data["settings"], data["seed"])


@dataclass(frozen=True)
class Doing:
    """What a collector is doing: `says` ("explaining rows"), and how far it is where it knows. "" means it has just begun."""

    says: str = ""
    done: int | None = None
    total: int | None = None


_listener: Callable[[Doing], None] | None = None


def working_on(says: str, done: int | None = None, total: int | None = None) -> None:
    """Tell whoever waits what is being done now: `working_on("explaining rows", 400, 1_000)`.

    Cheap, so collectors may call it in a loop; what comes too fast is left out. Outside of a run it does nothing.
    """
    if _listener is not None:
        _listener(Doing(says, done, total))


def listen(listener: Callable[[Doing], None] | None) -> None:
    """The child process sets who hears what collectors say they are doing."""
    global _listener
    _listener = listener


@dataclass(frozen=True)
class Picture:
    """One chart with its words and numbers. `spec` is a Vega-Lite specification, rendered to SVG in the child.

    `title` and `description` are what a screen reader says; `columns` and `rows` are the data table beneath.
    """

    key: str
    title: str
    description: str
    spec: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class MeasuredFact:
    """A fact this collector established, for the policy. `low`/`high`: 95 % interval of a number."""

    name: str
    value: Any
    low: float | None = None
    high: float | None = None
    locator: str = ""


@dataclass(frozen=True)
class Collected:
    """What a collector found.

    Exactly one of: measures (success), `not_measured` (a reason: missing or unusable evidence; blocks where the gate blocks),
    `not_applicable` (a reason: nothing of this kind to measure). `notes` are sentences for the reader (rows excluded, sampled).
    """

    measures: tuple[Measure, ...] = ()
    facts: tuple[MeasuredFact, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    not_measured: str = ""
    not_applicable: str = ""
