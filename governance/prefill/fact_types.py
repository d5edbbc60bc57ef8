"""The type of every fact a file may state, so that a wrong value becomes a problem and not a fact.

The texts of the questions live with the questionnaire; here is only what a value has to look like.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from governance.domain.registers import ACCESS_CLASSES, CONSENT_BASES
from governance.prefill.moments import from_text
from governance.prefill.source import shown


class ValueKind(StrEnum):
    """What a value looks like."""

    TEXT = "text"
    CHOICE = "one of"
    YES_NO = "true or false"
    NUMBER = "a number"
    WHOLE = "a whole number, 0 or more"
    DATE = "a date such as 2026-11-21"
    MOMENT = "a date and time such as 2026-11-21T05:19:12Z"
    LIST = "a list of texts"
    PLAN = "a list of texts or of mappings with a kind"
    RECORDS = "a list of mappings"
    MAPPING = "a mapping"
    NUMBERS = "a mapping of names to numbers"


class SetBy(StrEnum):
    """Who may state a fact by name in a file.

    `file`: anybody who writes the file. `comparison`: worked out against the champion here; a file's own word for it counts as
    typed by a person. `platform`: only the platform.
    """

    FILE = "file"
    COMPARISON = "comparison"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class FactType:
    """Kind of value, choices where it is a choice, and who may state it."""

    kind: ValueKind
    choices: tuple[str, ...] = ()
    set_by: SetBy = SetBy.FILE

    @property
    def expects(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else str(self.kind)


DOMAINS = (
    "credit",
    "fraud",
    "pricing",
    "hiring",
    "insurance",
    "health",
    "marketing",
    "recommendation",
    "content_moderation",
    "internal_operations",
    "other",
)
IMPACTS = ("none", "low", "medium", "high")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")
STRATEGIES = ("shadow", "canary", "ab_test", "gradual", "full")
ARCHITECTURE_APPROVALS = ("approved", "another_use", "ended", "not_registered", "withdrawn")
VENDOR_ASSESSMENTS = ("passed", "passed_with_conditions", "ended", "not_assessed", "failed")
"""Both from the best to the worst."""

_K = ValueKind


def _by(names: str, kind: ValueKind, set_by: SetBy = SetBy.FILE) -> dict[str, FactType]:
    return {name: FactType(kind, set_by=set_by) for name in names.split()}


FACT_TYPES: Mapping[str, FactType] = {
    "decision.domain": FactType(_K.CHOICE, DOMAINS),
    "impact.financial": FactType(_K.CHOICE, IMPACTS),
    "impact.loss_currency": FactType(_K.CHOICE, CURRENCIES),
    "rollout.strategy": FactType(_K.CHOICE, STRATEGIES),
    "data.consent_basis": FactType(_K.CHOICE, CONSENT_BASES),
    "decision.adverse_score": FactType(_K.CHOICE, ("high", "low")),
    "data.access_class": FactType(_K.CHOICE, ACCESS_CLASSES),
    "data.highest_class": FactType(_K.CHOICE, ACCESS_CLASSES, SetBy.PLATFORM),
    "model.architecture_approval": FactType(_K.CHOICE, ARCHITECTURE_APPROVALS, SetBy.PLATFORM),
    "vendor.assessment": FactType(_K.CHOICE, VENDOR_ASSESSMENTS, SetBy.PLATFORM),
    **_by(
        "decision.automated decision.affects_customers decision.affects_purchases decision.reversible "
        "data.contains_pii rollout.circuit_breaker",
        _K.YES_NO,
    ),
    **_by("vendor.third_party model.signature_present", _K.YES_NO),
    **_by("vendor.name", _K.TEXT),
    **_by(
        "decision.human_review data.pii_approval rollout.rollback_target business.context model.limitations model.assumptions",
        _K.TEXT,
    ),
    **_by("system.owner training.code_commit training.run_id evaluation.dataset_digest training.dataset_digest", _K.TEXT),
    **_by("model.architecture model.framework model.serialization model.name model.digest model.license", _K.TEXT),
    **_by("data.reference_population explanation.method", _K.TEXT),
    **_by("model.framework_version model.task model.intended_use model.predict_method performance.metric", _K.TEXT),
    **_by("model.dependencies", _K.TEXT),
    **_by("impact.people_per_month model.size_bytes data.quality.evaluated", _K.WHOLE),
    **_by("impact.loss_amount", _K.NUMBER),
    **_by("model.decision_threshold performance.candidate rollout.traffic_percent cost.per_1k_predictions", _K.NUMBER),
    **_by("regulation.regimes data.sources data.protected_attributes data.protected_proxies data.columns", _K.LIST),
    **_by("model.features training.contributors", _K.LIST),
    **_by("data.snapshot_date", _K.DATE),
    **_by("training.started_at training.ended_at", _K.MOMENT),
    **_by("monitoring.plan", _K.PLAN),
    **_by("data.quality.failed", _K.RECORDS),
    **_by("training.parameters model.feature_sources model.feature_classes evidence.digests", _K.MAPPING),
    **_by("performance.metrics", _K.NUMBERS),
    **_by("data.new_sources model.new_features model.removed_features model.unapproved_features", _K.LIST, SetBy.COMPARISON),
    **_by("model.architecture_changed", _K.YES_NO, SetBy.COMPARISON),
    **_by("model.threshold_change performance.baseline performance.relative_change", _K.NUMBER, SetBy.COMPARISON),
    **_by(
        "champion.exists system.first_deployment data.pii_approval_registered "
        "performance.comparable performance.figures_comparable decision.domain_changed",
        _K.YES_NO,
        SetBy.PLATFORM,
    ),
    "app.exposure": FactType(_K.CHOICE, ("internal", "partners", "internet")),
    "rollout.rollback_class": FactType(_K.CHOICE, ("easy", "hard", "none"), SetBy.PLATFORM),
    "impact.outage": FactType(_K.CHOICE, ("low", "medium", "high")),
    "pipeline.schema_change": FactType(_K.CHOICE, ("none", "additive", "breaking")),
    **_by("artifact.digest artifact.format code.repository code.commit code.author code.approved_commit", _K.TEXT),
    **_by("code.pull_request pipeline.run_id", _K.TEXT),
    **_by("app.data_classes change.touches code.approvals data.outputs pipeline.consumers", _K.LIST),
    **_by("rollout.rollback_minutes pipeline.promised_hours pipeline.runs_per_month cost.per_run", _K.NUMBER),
    **_by("cost.budget_per_month", _K.NUMBER),
    **_by("pipeline.feeds_decisions", _K.YES_NO),
    **_by("pipeline.last_success_at", _K.DATE),
    **_by("evaluation.on_training_data data.regions_ruled", _K.YES_NO, SetBy.PLATFORM),
    **_by("data.sources_without_quality_rule data.sources_with_personal_data", _K.LIST, SetBy.PLATFORM),
    **_by("data.sources_above_class data.sources_outside_regions", _K.LIST, SetBy.PLATFORM),
    **_by("champion.version", _K.TEXT, SetBy.PLATFORM),
    **_by("explanation.max_share_change explanation.total_variation explanation.row_cosine_p10", _K.NUMBER, SetBy.PLATFORM),
    **_by("explanation.shares", _K.NUMBERS, SetBy.PLATFORM),
    **_by("explanation.sign_flips rollout.flip_rate drift.prediction_psi", _K.NUMBER, SetBy.PLATFORM),
}

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def check_value(name: str, value: Any) -> tuple[Any, str]:
    """Return (the value as the fact holds it, "") or (None, what is wrong with it).

    Raises `KeyError` for a name that is not in `FACT_TYPES`.
    """
    expected = FACT_TYPES[name]
    ok, result = _CHECKS[expected.kind](value)
    if ok and expected.choices and result not in expected.choices:
        ok = False
    return (result, "") if ok else (None, f"{name} has to be {expected.expects}; found {shown(value)}.")


def _text(value: Any) -> tuple[bool, Any]:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False, None
    words = str(value).strip()
    return bool(words), words


def _yes_no(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


def _number(value: Any) -> tuple[bool, Any]:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value), value


def _whole(value: Any) -> tuple[bool, Any]:
    ok, _ = _number(value)
    return ok and value >= 0 and float(value).is_integer(), int(value) if ok else None


def _date(value: Any) -> tuple[bool, Any]:
    found = _ISO_DAY.match(value) if isinstance(value, str) else None
    if not found:
        return False, None
    try:
        return True, date.fromisoformat(found.group()).isoformat()
    except ValueError:
        return False, None


def _moment(value: Any) -> tuple[bool, Any]:
    found = from_text(value)
    return found is not None, found


def _list(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str) and value.strip():
        return True, [value.strip()]
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        return False, None
    return True, list(dict.fromkeys(item.strip() for item in value))


def _plan(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str) and value.strip():
        return True, [value.strip()]
    if not isinstance(value, list) or not value:
        return False, None
    ok = all(
        (isinstance(row, str) and row.strip()) or (isinstance(row, dict) and isinstance(row.get("kind"), str)) for row in value
    )
    return ok, value


def _records(value: Any) -> tuple[bool, Any]:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value), value


def _mapping(value: Any) -> tuple[bool, Any]:
    return isinstance(value, dict), value


def _numbers(value: Any) -> tuple[bool, Any]:
    return isinstance(value, dict) and all(_number(item)[0] for item in value.values()), value


_CHECKS = {
    _K.TEXT: _text,
    _K.CHOICE: _text,
    _K.YES_NO: _yes_no,
    _K.NUMBER: _number,
    _K.WHOLE: _whole,
    _K.DATE: _date,
    _K.MOMENT: _moment,
    _K.LIST: _list,
    _K.PLAN: _plan,
    _K.RECORDS: _records,
    _K.MAPPING: _mapping,
    _K.NUMBERS: _numbers,
}
