"""Digests: what is declared against the bytes, the champion's file in the candidate's place, empty files, reused runs."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gates import registry
from gates.collecting import Collected, EvidenceInput, Inputs
from gates.metrics import integrity
from gates.pictures.render import draw
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict

EMPTY = hashlib.sha256(b"").hexdigest()


def file(folder: Path, role: str, content: bytes, name: str = "") -> EvidenceInput:
    path = folder / (name or role)
    path.write_bytes(content)
    return EvidenceInput(role, str(path), path.name, hashlib.sha256(content).hexdigest())


def looked(files: list[EvidenceInput], facts: dict[str, Any] | None = None, **settings: Any) -> Collected:
    given = {"as_of": "2026-11-21", "known_versions": {}, **settings}
    return integrity.collect(Inputs({each.role: each for each in files}, facts or {}, given))


def judge(collected: Collected, **limits: Any) -> GateResult:
    gate = registry.gate("GR105")
    reasons = {"integrity": collected.not_measured} if collected.not_measured else {}
    return gate.judge(Measured(collected.measures, reasons), gate.limits_with(limits))


def test_what_is_declared_is_compared_with_the_bytes(tmp_path: Path) -> None:
    model, scored = (
        file(tmp_path, "candidate_model", b"model", "m.ubj"),
        file(tmp_path, "candidate_predictions", b"rows", "p.csv"),
    )
    good = {"evidence.digests": {"candidate_model": model.sha256, "p.csv": f"SHA256:{scored.sha256.upper()}"}}
    collected = looked([model, scored], good)
    assert judge(collected).verdict is Verdict.PASS and "2 declared digests are theirs" in judge(collected).says
    assert all(draw(picture.spec) for picture in collected.pictures)
    assert model.sha256 in {cell for row in collected.pictures[0].rows for cell in row}
    unnamed = judge(looked([model], {"training.dataset_digest": "c" * 64}))
    assert unnamed.verdict is Verdict.PASS and "no digest of them is declared" in unnamed.says, (
        "training data need not be handed in"
    )
    for short in (model.sha256[:8], hashlib.md5(b"model").hexdigest(), hashlib.sha1(b"model").hexdigest()):
        assert judge(looked([model], {"model.digest": short})).verdict is Verdict.PASS
    result = judge(looked([model, scored], {"evidence.digests": {"p.csv": model.sha256}}))
    assert result.verdict is Verdict.FAIL and "p.csv" in result.says
    assert judge(looked([model], {"model.digest": "not a digest"})).verdict is Verdict.FAIL
    assert judge(looked([model], {"evidence.digests": {"other.csv": "a" * 64}})).verdict is Verdict.WARN


def test_bytes_that_changed_after_they_were_stored(tmp_path: Path) -> None:
    model = replace(file(tmp_path, "candidate_model", b"model"), sha256="0" * 64)
    result = judge(looked([model]))
    assert result.verdict is Verdict.FAIL and "no longer those stored" in result.says


@pytest.mark.parametrize("fact", ["training.dataset_digest", "evaluation.dataset_digest", "model.digest"])
def test_the_digest_of_nothing(tmp_path: Path, fact: str) -> None:
    model = file(tmp_path, "baseline_model", b"model")
    result = judge(looked([model], {fact: f"sha256:{EMPTY}"}))
    assert result.verdict is Verdict.FAIL and "empty file" in result.says
    assert judge(looked([file(tmp_path, "document", b"")])).verdict is Verdict.FAIL


def test_the_champion_in_the_candidates_place(tmp_path: Path) -> None:
    ours, theirs = file(tmp_path, "candidate_model", b"same"), file(tmp_path, "baseline_model", b"same")
    result = judge(looked([ours, theirs]))
    assert result.verdict is Verdict.FAIL and "the model of candidate and champion are one file" in result.says
    known = {"1.2.0": {"approved": True, "digest": f"sha256:{ours.sha256}", "features": [], "run_id": "r1"}}
    champion = judge(looked([ours], {"champion.version": "1.2.0"}, known_versions=known))
    assert champion.verdict is Verdict.FAIL and "1.2.0" in champion.says
    other = judge(looked([ours], {"champion.version": "1.1.0"}, known_versions=known))
    assert other.verdict is Verdict.WARN and "version 1.2.0 has the same artefact" in other.says
    run = judge(looked([file(tmp_path, "document", b"x")], {"training.run_id": "r1"}, known_versions=known))
    assert run.verdict is Verdict.WARN and "same training run" in run.says


def test_dates_paths_and_signature(tmp_path: Path) -> None:
    some = [file(tmp_path, "candidate_model", b"model")]
    assert judge(looked(some, {"training.ended_at": "2026-11-21T23:59:00Z"})).verdict is Verdict.PASS, "later on the same day"
    assert judge(looked(some, {"training.ended_at": "2026-11-22T00:00:00Z"})).verdict is Verdict.FAIL
    assert judge(looked(some, {"data.sources": ["file:///C:/Users/me/x.csv"]})).verdict is Verdict.WARN
    assert judge(looked(some, {"model.signature_present": False})).verdict is Verdict.WARN
    assert judge(looked(some, {"model.signature_present": False}), signature_required=True).verdict is Verdict.FAIL


def test_nothing_handed_in_and_nothing_declared_is_not_assessed() -> None:
    assert judge(looked([])).verdict is Verdict.NOT_ASSESSED
