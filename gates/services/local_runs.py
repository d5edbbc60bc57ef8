"""One gate on files of this machine: the real collectors in the confined child, the pack's limits, and no database."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gates import registry, sandbox
from gates.collecting import Collected, EvidenceInput, Inputs
from gates.registry import Gate
from gates.services.judging import verdict_of
from gates.spec import GateResult, Measured
from governance.domain.errors import InvalidInput
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, RunStatus, Track, Verdict
from governance.policy import Pack
from governance.policy.cel import asked_of
from governance.policy.gate_use import GateUse

_PASSES = frozenset({Verdict.PASS, Verdict.WARN, Verdict.NOT_APPLICABLE})


@dataclass(frozen=True)
class LocalFile:
    """One file in one evidence role."""

    role: str
    path: Path
    columns: Mapping[str, Any] = field(default_factory=dict)
    format: str = ""

    def input(self) -> EvidenceInput:
        """As a collector gets it. Raises `InvalidInput` when there is no such file."""
        if not self.path.is_file():
            raise InvalidInput(f"There is no file {self.path} ({self.role}).")
        with self.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return EvidenceInput(self.role, str(self.path.resolve()), self.path.name, sha256, self.columns, self.format)


@dataclass(frozen=True)
class LocalRun:
    """What a gate said about local files, and what was measured for it."""

    gate: Gate
    track: Track
    result: GateResult
    limits: Mapping[str, Any]
    collected: Mapping[str, Collected]
    ran: tuple[sandbox.Ran, ...]

    @property
    def exit_code(self) -> int:
        """0 when nothing stands in the way; 1 when it failed or could not be assessed."""
        return 0 if self.result.verdict in _PASSES else 1

    def to_json(self) -> dict[str, Any]:
        result = self.result
        interval = None if result.low is None or result.high is None else [result.low, result.high]
        return {
            "gate": self.gate.code,
            "name": self.gate.name,
            "track": self.track.value,
            "verdict": result.verdict.value,
            "says": result.says,
            "fix": result.fix,
            "observed": result.observed,
            "interval": interval,
            "limit": result.limit,
            "n": result.n,
            "group": result.group,
            "metric": result.metric,
            "notes": list(result.notes),
            "limits": dict(self.limits),
            "measures": [asdict(row) for collected in self.collected.values() for row in collected.measures],
            "facts": [asdict(fact) for collected in self.collected.values() for fact in collected.facts],
            "collectors": [
                {
                    "name": ran.collector,
                    "status": ran.status.value,
                    "reason": ran.reason,
                    "seconds": ran.seconds,
                    "peak_megabytes": ran.peak_megabytes,
                    "versions": dict(ran.versions),
                }
                for ran in self.ran
            ],
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True)
class LocalMeasurements:
    """What collectors found on files of this machine, and how each of them ran."""

    collected: Mapping[str, Collected]
    ran: tuple[sandbox.Ran, ...]

    def measured(self) -> Measured:
        """As gates read it."""
        failed = {each.collector: each.reason for each in self.ran if each.collected is None}
        found = self.collected
        return Measured(
            tuple(sorted((row for each in found.values() for row in each.measures), key=lambda row: row.group != "")),
            not_measured=failed | {name: each.not_measured for name, each in found.items() if each.not_measured},
            not_applicable={name: each.not_applicable for name, each in found.items() if each.not_applicable},
        )

    def statuses(self, names: Iterable[str]) -> dict[str, str]:
        """Collector -> done or error."""
        failed = {each.collector for each in self.ran if each.collected is None}
        return {name: RunStatus.ERROR if name in failed else RunStatus.DONE for name in names}

    def facts(self) -> list[Fact]:
        """Measured facts, for the rules."""
        return [
            Fact(fact.name, fact.value, Assurance.MEASURED, f"measured:{name}", fact.locator, low=fact.low, high=fact.high)
            for name, each in self.collected.items()
            for fact in each.facts
        ]


def run_locally(
    code: str,
    *,
    files: Sequence[LocalFile],
    facts: FactSet,
    pack: Pack,
    track: Track,
    limits: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    told: sandbox.Told | None = None,
) -> LocalRun:
    """Measure what the gate needs and judge it as a worker and the judging service would.

    `limits` and `settings` replace single entries of the pack's. Raises `InvalidInput` for an unknown gate, an unknown limit or a
    file that is not there; what is wrong with a file's content is a verdict.
    """
    gate = registry.gates().get(code.upper())
    if gate is None:
        raise InvalidInput(f"There is no gate {code}. `manage.py gates list` shows them all.")
    odd = sorted(set(limits or {}) - set(gate.limits))
    if odd:
        raise InvalidInput(f"{gate.code} has no limit “{odd[0]}”. It has: {', '.join(gate.limits) or 'none'}.")
    around = {**local_settings(pack, facts), **(settings or {})}
    found = measure_locally(gate.collectors, files=files, facts=facts, settings=around, told=told)
    measured = found.measured()
    use = next((each for each in pack.gates if each.gate == gate.code), None)
    given = {**(use.limits_for(track, str(facts.value("decision.domain") or "")) if use else {}), **(limits or {})}
    asked = use or _as_asked(gate.code)
    statuses = found.statuses(gate.collectors)
    kind = pack.gate_kind if pack.gate_kind in gate.kinds else next(iter(sorted(gate.kinds)))
    # pins are the installation's matter: here the gate is tried as it is
    in_force, result = verdict_of(asked, kind, given, measured, statuses, pinned=False)
    return LocalRun(gate, track, result, in_force, found.collected, found.ran)


def local_settings(pack: Pack, facts: FactSet) -> dict[str, Any]:
    """What of the pack goes to collectors: its numbers, and its conditions in CEL with the facts they read."""
    return {**pack.settings, "cel_conditions": asked_of(pack.document.cel_conditions, facts)}


def measure_locally(
    names: Iterable[str],
    *,
    files: Sequence[LocalFile],
    facts: FactSet,
    settings: Mapping[str, Any],
    told: sandbox.Told | None = None,
) -> LocalMeasurements:
    """Run collectors on files of this machine, in the confined child. Raises `InvalidInput` for a file that is not there."""
    evidence = {file.role: file.input() for file in files}
    # what only an installation knows is empty here; a gate that needs it says that it is missing
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    collected: dict[str, Collected] = {}
    wanted: dict[str, Inputs] = {}
    for name in names:
        collector = registry.collector(name)
        missing = [role for role in collector.requires if role not in evidence]
        if missing:
            named = " and ".join(f"“{role}”" for role in missing)
            collected[name] = Collected(not_measured=f"No file was given as {named}. Add --evidence {missing[0]}=FILE.")
            continue
        roles = {role: evidence[role] for role in (*collector.requires, *collector.optional) if role in evidence}
        known = {fact: value for fact in collector.uses_facts if (value := facts.value(fact)) is not None}
        registers = {register: today if register == "as_of" else {} for register in collector.uses_registers}
        wanted[name] = Inputs(roles, known, {**registers, **settings})
    ran = _measure(wanted, told)
    collected |= {each.collector: each.collected for each in ran if each.collected is not None}
    return LocalMeasurements(collected, tuple(ran))


def _as_asked(code: str) -> GateUse:
    """A gate that the pack does not use, on every track."""
    return GateUse(gate=code, why="asked for", tracks=tuple(Track), blocking=True, note="convention")


def _measure(wanted: Mapping[str, Inputs], told: sandbox.Told | None) -> list[sandbox.Ran]:
    """Every collector once; one that takes the child down fails alone, the others go on in a fresh one."""
    waiting, done = dict(wanted), []
    while waiting:
        for ran in sandbox.run(list(waiting), waiting, pictures=False, told=told):
            if ran.status is not sandbox.Status.NOT_RUN:
                done.append(ran)
        waiting = {name: inputs for name, inputs in waiting.items() if name not in {ran.collector for ran in done}}
    return done
