"""Leakage: which files are training and which evaluation, and what the three kinds of look at them give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gates.collecting import Collected, EvidenceInput, Inputs, Picture
from gates.metrics.leakage_names_impl import suspicions
from gates.metrics.leakage_overlap_impl import Overlap, by_key, by_row
from gates.metrics.leakage_single_impl import MIN_CLASS, Alone, features_alone
from gates.pictures.shapes import points_with_intervals
from gates.readers import tables
from gates.spec import Measure

NOT_FEATURES = ("id", "label", "prediction", "score", "weight", "time", "base", "sensitive")
SHOWN = 15
LINES = (0.90, 0.98)


def measure(inputs: Inputs) -> Collected:
    """Names of the features, each feature alone against the label, and overlap of evaluation with training rows.

    What could not be looked at is a measure without a value and with the reason; nothing at all gives "not measured".
    """
    training = inputs.evidence.get("reference_sample")
    evaluations = _evaluations(inputs)
    label = _label(inputs)
    features = _features(inputs, training)
    measures: list[Measure] = []
    notes: list[str] = []
    pictures: list[Picture] = []
    if features:
        measures.extend(_names(features, label))
    gain = inputs.facts.get("performance.relative_change")
    if isinstance(gain, int | float) and not isinstance(gain, bool):
        measures.append(Measure("leakage.performance_gain", float(gain), text="as the metadata of both versions say"))
    if training is not None:
        measures.extend(_overlaps(training, evaluations, features, notes))
    else:
        reason = "There is no reference sample, so nobody can say whether evaluation rows were seen in training."
        measures += [Measure("leakage.overlap_rows", None, reason=reason), Measure("leakage.overlap_keys", None, reason=reason)]
    alone, source, why = features_alone(inputs, features)
    if why:
        measures.append(Measure("leakage.max_auc", None, reason=why))
    else:
        measures.extend(_alone(alone, source))
        pictures.append(_picture(alone, source))
        notes.extend(f"{item.feature}: {item.reason}." for item in alone if item.reason)
    if not any(row.value is not None for row in measures):
        return Collected(not_measured="No feature names, no training data and no labels to look at: attach a reference sample.")
    return Collected(tuple(measures), (), tuple(pictures), tuple(notes))


def _evaluations(inputs: Inputs) -> list[EvidenceInput]:
    """The files with rows the model was judged on, each once: one file may be handed in for several of these parts.

    Two different files of one name are told apart by the part they were handed in for.
    """
    found: dict[str, EvidenceInput] = {}
    for role in ("candidate_predictions", "explanation_sample", "current_sample"):
        if (evidence := inputs.evidence.get(role)) is not None:
            found.setdefault(evidence.sha256 or role, evidence)
    files = list(found.values())
    names = [file.name for file in files]
    return [replace(file, name=f"{file.name} ({file.role})") if names.count(file.name) > 1 else file for file in files]


def _label(inputs: Inputs) -> str:
    for role in ("reference_sample", "candidate_predictions", "current_sample", "explanation_sample"):
        evidence = inputs.evidence.get(role)
        name = evidence.columns.get("label") if evidence is not None else None
        if isinstance(name, str) and name:
            return name
    return ""


def _features(inputs: Inputs, training: EvidenceInput | None) -> list[str]:
    """The model's features as declared, else what the training data hold beside row keys, labels and the like."""
    declared = inputs.facts.get("model.features")
    if isinstance(declared, list | tuple) and declared:
        return [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in declared]
    if training is None:
        return []
    mapped = training.columns.get("features")
    if isinstance(mapped, list | tuple) and mapped:
        return [str(name) for name in mapped]
    taken = roles_of(training)
    return [name for name, kind in tables.inspect(training).columns if name not in taken and kind != "other"]


def roles_of(evidence: EvidenceInput) -> set[str]:
    """Columns of a file that are mapped to something else than a feature."""
    taken: set[str] = set()
    for role in NOT_FEATURES:
        value = evidence.columns.get(role)
        taken |= {value} if isinstance(value, str) else {str(name) for name in value or ()}
    return taken


def _names(features: list[str], label: str) -> Iterable[Measure]:
    target, later = suspicions(features, label)
    yield Measure("leakage.target_named", float(len(target)), n=len(features), text=", ".join(target[:20]))
    yield Measure("leakage.post_outcome_named", float(len(later)), n=len(features), text=", ".join(later[:20]))


def _overlaps(
    training: EvidenceInput, evaluations: list[EvidenceInput], features: list[str], notes: list[str]
) -> Iterable[Measure]:
    by_rows = [found for evidence in evaluations if (found := by_row(training, evidence, features)) is not None]
    by_keys = [found for evidence in evaluations if (found := by_key(training, evidence)) is not None]
    for metric, items, missing in (
        ("leakage.overlap_rows", by_rows, "No evaluation file shares feature columns with the training data."),
        ("leakage.overlap_keys", by_keys, "Row keys are not mapped (columns.id) in both the training and an evaluation file."),
    ):
        told = [item for item in items if not item.reason]
        notes.extend(f"{item.file}: {item.reason}" for item in items if item.reason)
        if not told:
            yield Measure(metric, None, reason=" ".join(item.reason for item in items) or missing)
        for item in told:
            notes.extend(item.notes)
        yield from (_overlap_row(metric, item) for item in told)


def _overlap_row(metric: str, item: Overlap) -> Measure:
    return Measure(
        metric, item.share, group=f"file={item.file}", low=item.low, high=item.high, n=item.rows, text=item.says,
        detail={"matched": item.matched, "by_chance": item.by_chance},
    )  # fmt: skip


def _alone(alone: list[Alone], source: str) -> Iterable[Measure]:
    told = [item for item in alone if item.auc is not None]
    if not told:
        yield Measure("leakage.max_auc", None, reason="; ".join(f"{item.feature}: {item.reason}" for item in alone[:5]))
        return
    best = told[0]
    yield Measure(
        "leakage.max_auc", best.auc, low=best.low, high=best.high, n=best.rows, text=best.feature,
        detail={"how": best.how, "file": source, "level": best.level, "features": len(told)},
    )  # fmt: skip
    for item in told[:200]:
        yield Measure(
            "leakage.feature_auc", item.auc, group=f"feature={item.feature}", low=item.low, high=item.high, n=item.rows,
            detail={"how": item.how, "level": item.level},
        )  # fmt: skip


def _picture(alone: list[Alone], source: str) -> Picture:
    told = [item for item in alone if item.auc is not None][:SHOWN]
    values = [{"label": item.feature, "value": item.auc, "low": item.low, "high": item.high} for item in told]
    spec = points_with_intervals(values, x_title="AUC of the feature alone", limits=LINES, domain=(0.45, 1.0))
    rows = tuple((item.feature, f"{item.auc:.3f}", f"{item.low:.3f} to {item.high:.3f}", item.how, item.rows) for item in told)
    words = (
        f"{told[0].feature} says most about the label by itself: AUC {told[0].auc:.3f}. 0.5 says nothing, 1 says everything; "
        f"lines mark {LINES[0]:.2f} and {LINES[1]:.2f}. Measured on {source}."
        if told
        else f"No feature of {source} could be set against the label."
    )
    return Picture(
        "leakage_single", "How much each feature says by itself", words, spec,
        ("Feature", "AUC", "Interval, all features together at 95 %", "How", "Rows"), rows,
    )  # fmt: skip


__all__ = ["MIN_CLASS", "measure", "roles_of"]
