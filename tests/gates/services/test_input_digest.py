"""The digest of a run's inputs is the digest of their canonical JSON, from whichever parts it is put together."""

from __future__ import annotations

from pathlib import Path

import gates.metrics
from gates import registry
from gates.services.inputs import Surroundings, frozen_inputs, input_digest
from governance.domain.canonical import digest
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance

EVIDENCE = {
    "candidate_predictions": {"sha256": "ab" * 32, "name": "päckchen.csv", "columns": {"y": "label"}, "format": "csv", "size": 7}
}
FACTS = FactSet.of([Fact("model.features", ["b", "a", "ä"], Assurance.DECLARED, "answer")])
REGISTERS = {
    "registered_sources": {"s3://x": {"approved": True}},
    "known_versions": {"1.0": {"features": ["a"]}},
    "reference_populations": {"customers": {"shares": {"sex": {"f": 0.5, "m": 0.5}}, "source": "register"}},
    "column_marks": {"email": {"mark": "wrong", "kind": "e-mail address"}},
    "attribution_shares": {"a": 0.7},
    "running_experiments": [{"id": "a", "team": "t", "start": "2026-11-21"}],
    "earlier_costs": [{"version": "1.0", "per_1k": 0.1}],
    "cel_conditions": [{"id": "CE-001", "holds": 'facts["a.b"]', "facts": {"a.b": True}}],
    "as_of": "2026-11-21",
}


def test_put_together_from_parts_it_is_the_digest_of_the_whole() -> None:
    around = Surroundings(EVIDENCE, FACTS, {"psi_bins": 10, "least": 0.5}, REGISTERS)
    for collector in registry.collectors().values():
        inputs = frozen_inputs(collector, around)
        files = {role: {key: item[key] for key in ("sha256", "columns", "format")} for role, item in inputs["evidence"].items()}
        whole = digest({"collector": collector.name, "version": collector.version, **inputs, "evidence": files})
        assert input_digest(collector, inputs) == whole
        settings, ready = around.settings_with(collector.uses_registers)
        assert settings == inputs["settings"]
        assert input_digest(collector, inputs, settings=ready) == whole


def test_only_who_reads_a_register_gets_it() -> None:
    """Each collector's modules name the registers it declares, and no other: what it is not given it cannot ask for."""
    around = Surroundings(EVIDENCE, FACTS, {}, REGISTERS)
    declared = {name for collector in registry.collectors().values() for name in collector.uses_registers}
    assert declared == set(REGISTERS)
    folder = Path(gates.metrics.__path__[0])
    for collector in registry.collectors().values():
        stem = collector.module.rpartition(".")[2]
        text = "".join(file.read_text() for file in folder.glob(f"{stem}*.py"))
        spoken = {name for name in REGISTERS if f'settings.get("{name}")' in text or f'settings["{name}"]' in text}
        # asked again each day, because the policy elsewhere may have changed; the day itself it does not look at
        aged = {"as_of"} if collector.name == "policy_engine" else set()
        assert spoken | aged == set(collector.uses_registers), collector.name
        assert set(frozen_inputs(collector, around)["settings"]) == set(collector.uses_registers)
