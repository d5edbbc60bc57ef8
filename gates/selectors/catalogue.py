"""The gate catalogue as people and programs read it: documentation, worked examples, limits in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates import registry
from gates.registry import Collector, Gate
from gates.spec import GateResult, Measured
from governance.domain.errors import Conflict, NotFound
from governance.domain.vocabulary import Kind, Role, Track
from governance.policy import Pack
from governance.policy.gate_use import GateUse
from governance.selectors.policy import installed_kinds, pack_in_force


@dataclass(frozen=True)
class Worked:
    """One example of a gate with what the gate says about it."""

    name: str
    measured: Mapping[str, Any]
    limits: Mapping[str, Any]
    result: GateResult


@dataclass(frozen=True)
class InForce:
    """How the pack in force uses a gate. `limits`: track -> limits; `domains`: domain -> what it replaces."""

    pack: str
    version: str
    tracks: tuple[str, ...]
    blocking: tuple[str, ...]
    limits: Mapping[str, Mapping[str, Any]]
    domains: Mapping[str, Mapping[str, Any]]
    needs: Mapping[str, str]
    why: str
    origin: str

    def to_json(self) -> dict[str, Any]:
        return {
            "pack": self.pack,
            "version": self.version,
            "tracks": list(self.tracks),
            "blocking": list(self.blocking),
            "limits": {track: dict(limits) for track, limits in self.limits.items()},
            "limits_by_domain": {domain: dict(limits) for domain, limits in self.domains.items()},
            "needs": dict(self.needs),
            "why": self.why,
            "origin": self.origin,
        }


@dataclass(frozen=True)
class CataloguePage:
    """Everything about one gate."""

    gate: Gate
    collectors: tuple[Collector, ...]
    examples: tuple[Worked, ...]
    in_force: tuple[InForce, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            **summary(self.gate),
            "limits": dict(self.gate.limits),
            "documentation": dict(self.gate.docs),
            "collectors": [
                {"name": c.name, "title": c.title, "version": c.version, "requires": list(c.requires)} for c in self.collectors
            ],
            "examples": [
                {
                    "name": worked.name,
                    "verdict": worked.result.verdict.value,
                    "says": worked.result.says,
                    "limits": dict(worked.limits),
                }
                for worked in self.examples
            ],
            "in_force": [use.to_json() for use in self.in_force],
        }


def catalogue(*, kind: Kind | None = None) -> list[Gate]:
    """Every gate in order of code, or those made for one kind."""
    return [gate for gate in registry.gates().values() if kind is None or kind in gate.kinds]


def summary(gate: Gate) -> dict[str, Any]:
    """One line of the catalogue, as the API gives it."""
    return {
        "code": gate.code,
        "name": gate.name,
        "title": gate.title,
        "mode": gate.mode.value,
        "kinds": sorted(Kind(kind).value for kind in gate.kinds),
        "read_by": Role(gate.read_by).value,
        "risk": gate.risk,
        "needs": list(gate.needs),
        "learn": f"/gates/{gate.code}",
    }


def catalogue_page(code: str) -> CataloguePage:
    """One gate with its examples worked and the limits in force. Raises `NotFound` for an unknown code."""
    gate = registry.gates().get(code)
    if gate is None:
        raise NotFound(f"There is no gate {code[:20]}. The catalogue at /gates lists them all.")
    known = registry.collectors()
    return CataloguePage(
        gate,
        tuple(known[name] for name in gate.collectors if name in known),
        tuple(work(gate)),
        tuple(use for kind in installed_kinds() if (use := in_force(gate, kind.kind)) is not None),
    )


def work(gate: Gate) -> list[Worked]:
    """Judge every example: what people read is what the gate really says."""
    return [
        Worked(
            example.name,
            example.measured,
            example.limits,
            gate.judge(Measured.of(example.measured), gate.limits_with(example.limits)),
        )
        for example in gate.examples
    ]


def in_force(gate: Gate, kind: Kind) -> InForce | None:
    """How the pack of a kind uses a gate now; None when there is no pack or it does not ask for it."""
    try:
        _, pack = pack_in_force(kind)
    except Conflict:
        return None
    use = next((use for use in pack.gates if use.gate == gate.code), None)
    return None if use is None else _in_force(gate, pack, use)


def _in_force(gate: Gate, pack: Pack, use: GateUse) -> InForce:
    tracks = [track for track in Track if track in use.tracks]
    return InForce(
        pack=pack.name,
        version=pack.version,
        tracks=tuple(track.value for track in tracks),
        blocking=tuple(track.value for track in tracks if use.blocks(track)),
        limits={track.value: gate.limits_with(use.limits_for(track)) for track in tracks},
        domains=use.limits_by_domain,
        needs={role.value: why for role, why in use.needs.items()},
        why=use.why,
        origin=f"Source: {use.source}" if use.source else f"{use.note}".capitalize(),
    )
