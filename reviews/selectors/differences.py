"""What differs between two dossiers, two revisions or two versions, as lines people read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from governance.domain.decision import DifferenceView
from governance.domain.facts import FactSet, same

_ABOUT = {
    "features": ("model.features", "model.new_features", "model.unapproved_features", "data.protected_attributes"),
    "sources": ("data.sources", "data.new_sources"),
    "metrics": ("performance.metric", "performance.candidate", "performance.baseline", "performance.relative_change"),
    "thresholds": ("model.decision_threshold", "model.threshold_change"),
}
# what the record itself adds (the strictest recent track); nobody handed it in
_OUR_OWN = "submission."
_GROUP_OF = {name: group for group, names in _ABOUT.items() for name in names}
_ORDER = (
    "features",
    "sources",
    "metrics",
    "thresholds",
    "answers",
    "facts",
    "evidence",
    "outcomes",
    "waivers",
    "attested",
    "track",
    "policy",
)


def dossier_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[DifferenceView, ...]:
    """What changed from one dossier to another of the same submission."""
    found: list[DifferenceView] = []
    for key, label in (("track", "Track"), ("policy", "Policy"), ("artifact_digest", "Artefact"), ("champion", "Champion")):
        if before.get(key) != after.get(key):
            found.append(DifferenceView("policy" if key == "policy" else "track", label, before.get(key), after.get(key)))
    found += fact_differences(FactSet.from_json(before.get("facts", [])), FactSet.from_json(after.get("facts", [])))
    found += _mapping("answers", before.get("answers", {}), after.get("answers", {}), _answer)
    found += _mapping("evidence", before.get("evidence", {}), after.get("evidence", {}), _file)
    found += _mapping("outcomes", before.get("outcomes", {}), after.get("outcomes", {}), _outcome)
    found += _mapping("waivers", before.get("waivers", {}), after.get("waivers", {}), _waiver)
    found += _mapping("attested", _spoken(before), _spoken(after), str)
    if before.get("sources", []) != after.get("sources", []):
        found.append(
            DifferenceView(
                "evidence", "Metadata files", len(before.get("sources", [])), len(after.get("sources", [])), "files handed in"
            )
        )
    return in_order(found)


def fact_differences(before: FactSet, after: FactSet, *, only: Iterable[str] | None = None) -> list[DifferenceView]:
    """Facts whose best value differs. Lists say what was added and removed."""
    names = (
        sorted(name for name in {*before.by_name, *after.by_name} if not name.startswith(_OUR_OWN))
        if only is None
        else list(only)
    )
    found = []
    for name in names:
        old, new = before.value(name), after.value(name)
        if (old is None and new is None) or same(old, new):
            continue
        found.append(DifferenceView(_GROUP_OF.get(name, "facts"), name, old, new, _hint(old, new)))
    return found


def revision_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[DifferenceView, ...]:
    """What changed from one frozen revision `{facts, answers, evidence}` to the next."""
    found = fact_differences(FactSet.from_json(before["facts"]), FactSet.from_json(after["facts"]))
    named = {line.label for line in found}
    answers = [{row["question"]: row for row in side["answers"]} for side in (before, after)]
    for question, row in answers[1].items():
        # a correction stands against the value it replaced
        if question not in answers[0] and row.get("replaced") is not None:
            answers[0][question] = {**row, "value": row["replaced"]}
    found += [line for line in _mapping("answers", answers[0], answers[1], _answer) if line.label not in named]
    files = [{row["role"]: row for row in side["evidence"]} for side in (before, after)]
    return in_order([*found, *_mapping("evidence", files[0], files[1], _file)])


def in_order(lines: Iterable[DifferenceView]) -> tuple[DifferenceView, ...]:
    """What matters most first: features, sources, metrics, thresholds, then the rest."""
    return tuple(sorted(lines, key=lambda line: (_ORDER.index(line.about), line.label)))


def in_words(lines: Iterable[DifferenceView], *, most: int = 6) -> str:
    """The differences as one sentence, for a refusal or a notification."""
    lines = list(lines)
    if not lines:
        return "Nothing that matters changed."
    shown = "; ".join(f"{line.label.replace('_', ' ')}: {_short(line.before)} → {_short(line.after)}" for line in lines[:most])
    more = f"; and {len(lines) - most} more" if len(lines) > most else ""
    return f"Changed: {shown}{more}."


def _mapping(about: str, before: Mapping[str, Any], after: Mapping[str, Any], show: Any) -> list[DifferenceView]:
    found = []
    for key in sorted(set(before) | set(after)):
        old, new = (show(side[key]) if key in side else None for side in (before, after))
        if old != new:
            found.append(DifferenceView(about, key, old, new))
    return found


def _answer(row: Mapping[str, Any]) -> Any:
    return row["value"] if row["value"] is not None else "I do not know"


def _file(row: Mapping[str, Any]) -> str:
    columns = f", columns {dict(sorted(row['columns'].items()))}" if row.get("columns") else ""
    return f"sha256 {row['sha256'][:12]}…{columns}"


def _outcome(row: Mapping[str, Any]) -> str:
    return f"{row['verdict'].replace('_', ' ')}: {row['says']}"


def _spoken(side: Mapping[str, Any]) -> dict[str, str]:
    """How often yes and no were said to each thing that people attest."""
    counts: dict[str, list[int]] = {}
    for row in side.get("attested", []):
        counts.setdefault(row["what"], [0, 0])[0 if row["yes"] else 1] += 1
    return {what: f"{yes} yes, {no} no" for what, (yes, no) in counts.items()}


def _waiver(row: Mapping[str, Any]) -> str:
    return f"{row['gate']} waived until {row['until'][:10]}"


def _hint(old: Any, new: Any) -> str:
    if not isinstance(old, list) or not isinstance(new, list):
        return ""
    added = [str(item) for item in new if item not in old]
    gone = [str(item) for item in old if item not in new]
    return "; ".join(f"{word}: {', '.join(items)}" for word, items in (("added", added), ("removed", gone)) if items)


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
