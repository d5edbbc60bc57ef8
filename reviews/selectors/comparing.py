"""What changed, against the champion, the previous revision, or the case as the reader last marked it as seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gates.models import GateOutcome
from governance.domain.decision import DifferenceView
from governance.domain.facts import FactSet
from governance.models import Revision
from reviews.models import Dossier
from reviews.selectors.differences import dossier_differences, fact_differences
from reviews.selectors.dossier import dossier_from
from reviews.selectors.loading import Loaded

CHAMPION, REVISION, LOOKED = "champion", "revision", "looked"

_GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("metrics", "Metrics, and gates with another verdict", ("performance.",)),
    ("features", "Features", ("model.features", "model.new_features", "model.removed_features", "model.unapproved_features",
                              "model.feature_sources", "model.feature_classes")),
    ("data", "Data and its digests", ("data.", "training.dataset_digest", "evaluation.", "evidence.")),
    ("thresholds", "Thresholds", ("model.decision_threshold", "model.threshold_change", "decision.adverse_score")),
    ("numbers", "Other measured numbers", ("explanation.", "drift.", "rollout.flip_", "cost.")),
    ("dependencies", "Dependencies and build", ("model.framework", "model.serialization", "model.digest", "model.architecture",
                                                "model.dependencies", "training.code_commit", "supply_chain.")),
)  # fmt: skip
"""Group, title, names of facts or beginnings of them. A fact falls into the first group that names it."""
_REST = (
    ("answers", "Answers"),
    ("record", "Decisions on record, policy and waivers"),
    ("facts", "Other facts"),
)
_NOISE = (
    "submission.",
    "champion.",
    "training.started_at",
    "training.ended_at",
    "training.run_id",
    "performance.metrics",
    "performance.baseline",
    "performance.relative_change",
    "performance.comparable",
    "performance.figures_comparable",
    "model.new_features",
    "model.removed_features",
    "model.architecture_changed",
    "model.threshold_change",
    "data.new_sources",
)
"""What differs every time, is itself a comparison with another champion, or is shown line by line instead."""


@dataclass(frozen=True)
class Choice:
    """One thing to compare with, as the page offers it."""

    key: str
    label: str


@dataclass(frozen=True)
class Compared:
    """The differences in groups, the most telling first. `against`: in words; `says`: how many, in a sentence."""

    key: str
    against: str
    says: str
    groups: tuple[tuple[str, str, tuple[DifferenceView, ...]], ...]


@dataclass(frozen=True)
class _Side:
    facts: FactSet
    answers: Mapping[str, Any]
    evidence: Mapping[str, Any]
    artifact: str
    outcomes: Mapping[str, GateOutcome]


def choices_of(loaded: Loaded, looked: str) -> tuple[Choice, ...]:
    """What this case can be compared with. `looked`: digest of the case as the reader last saw it, where it has changed since."""
    found = []
    if looked:
        found.append(Choice(LOOKED, "Since you looked"))
    if loaded.submission.revision > 1:
        found.append(Choice(REVISION, f"Previous revision ({loaded.submission.revision - 1})"))
    if loaded.submission.champion is not None and loaded.champion_decision is not None:
        found.append(Choice(CHAMPION, f"Champion ({loaded.submission.champion.version.version})"))
    return tuple(found)


def compared(loaded: Loaded, facts: FactSet, key: str, looked: str) -> Compared | None:
    """The differences against one of `choices_of`; None where there is nothing to compare with. One query."""
    if key == LOOKED:
        return _since_looked(loaded, looked)
    before = _before(loaded, key)
    if before is None:
        return None
    after = _after(loaded, facts if key == CHAMPION else None)
    against = (
        f"champion {loaded.submission.champion.version.version}"
        if key == CHAMPION and loaded.submission.champion is not None
        else f"revision {loaded.submission.revision - 1}"
    )
    lines = [
        *_outcome_lines(before.outcomes, after.outcomes),
        *_metric_lines(before.facts, after.facts),
        *fact_differences(before.facts, after.facts),
        *_mapped("answers", before.answers, after.answers),
        *_mapped("data", before.evidence, after.evidence),
    ]
    if before.artifact != after.artifact:
        lines.append(DifferenceView("dependencies", "Artefact", before.artifact or None, after.artifact or None))
    return _grouped(key, against, lines)


def _since_looked(loaded: Loaded, looked: str) -> Compared | None:
    before = Dossier.objects.filter(submission=loaded.submission, digest=looked).values_list("content", flat=True).first()
    if before is None:
        return None
    after = dossier_from(loaded.material).content
    return _grouped(LOOKED, "the case as you last saw it", dossier_differences(before, after))


def _before(loaded: Loaded, key: str) -> _Side | None:
    """The champion as it was decided on, or the revision before this one."""
    submission = loaded.submission
    if key == REVISION:
        row = next((each for each in loaded.revisions if each.number == submission.revision - 1), None)
        return _side(row, None) if row is not None else None
    if submission.champion is None or loaded.champion_decision is None:
        return None
    row = loaded.champion_revision
    return _side(row, FactSet.from_json(loaded.champion_decision.facts)) if row is not None else None


def _after(loaded: Loaded, facts: FactSet | None) -> _Side:
    """This revision: as it was handed in, or with what was measured where `facts` are given."""
    row = next((each for each in loaded.revisions if each.number == loaded.submission.revision), None)
    outcomes = {each.code: each for each in loaded.material.outcomes}
    if row is None:
        return _Side(facts or FactSet.of(()), {}, {}, loaded.submission.version.artifact_digest, outcomes)
    return _Side(
        facts if facts is not None else FactSet.from_json(row.facts),
        _answers(row),
        _files(row),
        row.artifact_digest or loaded.submission.version.artifact_digest,
        outcomes,
    )


def _side(row: Revision, facts: FactSet | None) -> _Side:
    judged = GateOutcome.objects.filter(submission_id=row.submission_id, revision=row.number).order_by("round", "id")
    return _Side(
        facts if facts is not None else FactSet.from_json(row.facts),
        _answers(row),
        _files(row),
        row.artifact_digest,
        {each.code: each for each in judged},  # of several rounds the last one stands
    )


def _answers(row: Revision) -> dict[str, Any]:
    return {each["question"]: each["value"] if each["value"] is not None else "I do not know" for each in row.answers}


def _files(row: Revision) -> dict[str, str]:
    return {f"{each['role'].replace('_', ' ')} (file)": f"sha256 {each['sha256'][:16]}…" for each in row.evidence}


def _outcome_lines(before: Mapping[str, GateOutcome], after: Mapping[str, GateOutcome]) -> list[DifferenceView]:
    """Gates whose verdict differs, and apart from them those of which only the number moved."""
    found = []
    for code in sorted({*before, *after}):
        old, new = before.get(code), after.get(code)
        words = [_outcome(each) for each in (old, new)]
        if words[0] != words[1]:
            name = (new or old).name.replace("-", " ")  # type: ignore[union-attr]
            same = old is not None and new is not None and old.verdict == new.verdict
            about = "numbers" if same else "metrics"
            found.append(DifferenceView(about, f"{code} {name}", words[0], words[1], _step(old, new)))
    return found


def _outcome(row: GateOutcome | None) -> str | None:
    if row is None:
        return None
    verdict = row.verdict.replace("_", " ")
    return f"{row.observed:.4g} ({verdict})" if row.observed is not None else verdict


def _step(old: GateOutcome | None, new: GateOutcome | None) -> str:
    if old is None or new is None or old.observed is None or new.observed is None:
        return ""
    return f"{new.observed - old.observed:+.4g}"


def _metric_lines(before: FactSet, after: FactSet) -> list[DifferenceView]:
    """The metrics of the metadata, one line each."""
    sides = [side.value("performance.metrics") or {} for side in (before, after)]
    return [
        DifferenceView("metrics", name, sides[0].get(name), sides[1].get(name))
        for name in sorted({*sides[0], *sides[1]})
        if sides[0].get(name) != sides[1].get(name)
    ]


def _mapped(about: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[DifferenceView]:
    return [
        DifferenceView(about, name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _grouped(key: str, against: str, lines: Iterable[DifferenceView]) -> Compared:
    titles = {name: title for name, title, _ in _GROUPS} | dict(_REST)
    grouped: dict[str, list[DifferenceView]] = {name: [] for name in titles}
    named: set[str] = set()
    for line in lines:
        if line.about == "facts" or "." in line.label:
            if line.label.startswith(_NOISE):
                continue
            if line.about == "answers" and line.label in named:
                continue  # the fact of the same name says it already
            named.add(line.label)
        grouped[_group(line)].append(line)
    kept = tuple((name, titles[name], tuple(rows)) for name, rows in grouped.items() if rows)
    number = sum(len(rows) for _, _, rows in kept)
    says = f"{number} difference{'' if number == 1 else 's'} from {against}." if number else f"Nothing differs from {against}."
    return Compared(key, against, says, kept)


_KNOWN = {
    "outcomes": "metrics",
    "evidence": "data",
    "waivers": "record",
    "attested": "record",
    "track": "record",
    "policy": "record",
}


def _group(line: DifferenceView) -> str:
    if line.about in ("metrics", "numbers", "data", "dependencies") and "." not in line.label:
        return line.about
    if line.about in _KNOWN:
        return _KNOWN[line.about]
    for name, _, begins in _GROUPS:
        if line.label.startswith(begins):
            return name
    return line.about if line.about in ("answers", "thresholds", "features") else "facts"
