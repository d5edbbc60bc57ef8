"""Where two files disagree, both stay with their place, and the stricter one raises the track."""

from __future__ import annotations

from pathlib import Path

from governance.domain.facts import FactSet
from governance.policy import evaluate, load_pack
from governance.prefill.reading import read_source
from tests.governance.prefill.conftest import METADATA

PACKS = Path(__file__).parents[3] / "governance" / "packs"
MLMODEL = """
flavors: {sklearn: {sklearn_version: 1.8.0, serialization_format: skops}}
metadata: {guiderail: {data.contains_pii: false, data.protected_attributes: [], performance.candidate: 0.99}}
"""


def facts(*names: str) -> FactSet:
    found = [fact for name in names for fact in read_source(name, (METADATA / name).read_bytes()).facts]
    return FactSet.of([*found, *read_source("MLmodel", MLMODEL.encode()).facts])


def test_a_flattering_file_never_undoes_what_another_says() -> None:
    pack = load_pack((PACKS / "ml_model.yaml").read_text(), (PACKS / "questionnaires" / "ml_model.yaml").read_text())
    known = facts("croissant-1.0.json", "uv-0.9.uv.lock", "mct-0.0.2.model_card.json")
    said = {name: {(row.origin, str(row.value)) for row in rows} for name, rows in known.conflicts().items()}
    assert {("MLmodel", "False"), ("croissant-1.0.json", "True")} <= said["data.contains_pii"]
    assert said["model.framework_version"] == {("MLmodel", "1.8.0"), ("uv-0.9.uv.lock", "1.9.1")}
    assert said["performance.candidate"] == {("MLmodel", "0.99"), ("mct-0.0.2.model_card.json", "0.94")}
    alone, together = (evaluate(pack, each, pending=frozenset()) for each in (facts(), known))
    added = {(row["rule"], row["fact"]) for row in together.reasons()} - {(row["rule"], row["fact"]) for row in alone.reasons()}
    assert {("TR-040", "data.protected_attributes"), ("TR-050", "data.contains_pii")} <= added
    assert {"data.contains_pii", "data.protected_attributes"} <= {row.fact for row in together.contradictions}
