"""The digest of a run's inputs is the digest of their canonical JSON, from whichever parts it is put together."""

from __future__ import annotations

from gates import registry
from gates.services.inputs import Surroundings, frozen_inputs, input_digest, registers_of
from governance.domain.canonical import digest
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance

EVIDENCE = {
    "candidate_predictions": {"sha256": "ab" * 32, "name": "päckchen.csv", "columns": {"y": "label"}, "format": "csv", "size": 7}
}
FACTS = FactSet.of([Fact("model.features", ["b", "a", "ä"], Assurance.DECLARED, "answer")])
REGISTERS = {"registered_sources": {"s3://x": {"approved": True}}, "known_versions": {"1.0": {"features": ["a"]}}}


def test_put_together_from_parts_it_is_the_digest_of_the_whole() -> None:
    around = Surroundings(EVIDENCE, FACTS, {"psi_bins": 10, "least": 0.5}, REGISTERS)
    for collector in registry.collectors().values():
        inputs = frozen_inputs(collector, around)
        files = {role: {key: item[key] for key in ("sha256", "columns", "format")} for role, item in inputs["evidence"].items()}
        whole = digest({"collector": collector.name, "version": collector.version, **inputs, "evidence": files})
        assert input_digest(collector, inputs) == whole
        settings, ready = around.settings_with(registers_of(collector))
        assert settings == inputs["settings"]
        assert input_digest(collector, inputs, settings=ready) == whole
