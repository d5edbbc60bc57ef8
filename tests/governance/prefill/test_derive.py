"""Facts that follow from others, at the edges: nothing is ever guessed that could make a submission less strict."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.prefill.carry_over import carry_over
from governance.prefill.derive import derive
from governance.prefill.domains import REGIMES, REGIMES_BY_DOMAIN
from governance.prefill.fact_types import check_value
from governance.prefill.performance_change import relative_change

FILE, DECLARED, REGISTRY, MEASURED = Assurance.FILE, Assurance.DECLARED, Assurance.REGISTRY, Assurance.MEASURED


def facts_of(values: Mapping[str, Any], assurance: Assurance = FILE, origin: str = "MLmodel") -> FactSet:
    return FactSet.of(Fact(name, value, assurance, origin, digest=f"sha256:{origin}") for name, value in values.items())


def derived(
    facts: FactSet | Mapping[str, Any],
    *,
    champion: FactSet | Mapping[str, Any] | None = None,
    version: str | None = None,
    sources: Collection[str] = (),
    features: Collection[str] = (),
    approvals: Mapping[str, str] | None = None,
) -> FactSet:
    found = derive(
        facts if isinstance(facts, FactSet) else facts_of(facts),
        champion=facts_of(champion) if isinstance(champion, Mapping) else champion,
        champion_version=version,
        approved_sources=sources,
        approved_features=features,
        approvals=approvals or {},
    )
    for fact in found:
        assert check_value(fact.name, fact.value) == (fact.value, ""), fact
        assert fact.locator and fact.origin in {"derived", "register"}
    return FactSet.of(found)


def said(facts: FactSet, name: str) -> list[Any]:
    return [fact.value for fact in facts.all(name)]


# --- what it is for


@pytest.mark.parametrize(
    ("words", "domain"),
    [
        ("credit limit", "credit"),
        ("Scores loan applications", "credit"),
        ("credit_risk-v2", "credit"),
        ("CreditRisk", "credit"),
        ("credit card fraud, fraudulent card use", "fraud"),
        ("Sets premiums: insurance underwriting", "insurance"),
        ("Predicts diabetes onset of patients", "health"),
        ("Ranks job applicants by résumés", "hiring"),
        ("dynamic pricing of rides", "pricing"),
        ("dynamic pricing of personalised prices in a loan shop", "credit"),
    ],
)
def test_domain_is_suggested_by_words(words: str, domain: str) -> None:
    found = derived({"model.intended_use": words})
    assert said(found, "decision.domain") == [domain]
    assert said(found, "decision.affects_customers") == [True]
    fact = found.best("decision.domain")
    assert fact is not None
    assert (fact.assurance, fact.origin) == (FILE, "derived")
    assert "model.intended_use in MLmodel" in fact.locator
    assert fact.digest == "sha256:MLmodel"


@pytest.mark.parametrize(
    "words",
    [
        "marketing recommendations",
        "sorts incoming mail",
        "accreditation of courses",
        "Credits: the team",
        "gives credit to authors",
        "Not for credit decisions. Must never be used for hiring.",
        "health check endpoint",
        "",
    ],
)
def test_no_domain_is_suggested_and_none_means_nothing(words: str) -> None:
    found = derived({"model.intended_use": words, "model.features": ["x1"]})
    for name in (
        "decision.domain",
        "decision.affects_customers",
        "regulation.regimes",
        "data.protected_attributes",
        "data.contains_pii",
    ):
        assert name not in found


def test_intended_use_speaks_before_the_name() -> None:
    both = {"model.name": "fraud-check", "model.intended_use": "loan decisions"}
    assert said(derived(both), "decision.domain") == ["credit"]
    assert said(derived({"model.name": "fraud-check", "model.intended_use": "scoring"}), "decision.domain") == ["fraud"]


def test_a_stated_domain_does_not_silence_a_contradiction() -> None:
    found = derived(
        facts_of({"decision.domain": "marketing"}, DECLARED, "dana").with_facts(facts_of({"model.intended_use": "loans"}))
    )
    assert said(found, "decision.domain") == ["credit"]


def test_suggestion_from_a_typed_context_is_worth_what_is_typed() -> None:
    found = derived(facts_of({"business.context": "loans"}, DECLARED, "dana"))
    assert {fact.assurance for fact in found if fact.origin == "derived"} == {DECLARED}


@pytest.mark.parametrize("domain", ["marketing", "recommendation", "content_moderation", "internal_operations", "other"])
def test_nothing_follows_from_a_harmless_domain(domain: str) -> None:
    found = derived({"decision.domain": domain})
    assert "decision.affects_customers" not in found
    assert "regulation.regimes" not in found


def test_regimes_are_named_and_explained() -> None:
    found = derived({"decision.domain": "credit"}).value("regulation.regimes")
    assert found == ["EU-AI-ACT", "GDPR", "US-REG-B", "US-FCRA", "US-MRM"]
    assert "Annex III 5(b)" in REGIMES_BY_DOMAIN["credit"]["EU-AI-ACT"]
    assert {regime for rows in REGIMES_BY_DOMAIN.values() for regime in rows} == set(REGIMES)


def test_business_context_is_the_longest_intended_use() -> None:
    two = facts_of({"model.intended_use": "credit limit"}).with_facts(
        facts_of({"model.intended_use": "Sets the credit limit of new customers."}, origin="README.md")
    )
    assert derived(two).value("business.context") == "Sets the credit limit of new customers."
    assert "business.context" not in derived({"model.intended_use": "credit limit", "business.context": "said"})


# --- columns


def test_columns_name_protected_attributes_and_proxies() -> None:
    columns = [
        "ApplicantAge",
        "sex_code",
        "race_asian-pac",
        "marital-status",
        "zip",
        "income",
        "usage",
        "message",
        "sextant",
        "average",
    ]
    found = derived({"model.features": columns})
    assert found.value("data.protected_attributes") == ["age", "sex", "race", "marital_status"]
    assert found.value("data.protected_proxies") == ["place"]
    assert "data.contains_pii" not in found
    fact = found.best("data.protected_attributes")
    assert fact is not None and "age: ApplicantAge" in fact.locator


@pytest.mark.parametrize(
    "column",
    [
        "email",
        "e-mail",
        "customer_email",
        "PhoneNumber",
        "ssn",
        "first_name",
        "name",
        "street_address",
        "dob",
        "birth_date",
        "ip_address",
        "ip",
        "IBAN",
        "patient_id",
    ],
)
def test_columns_name_personal_data(column: str) -> None:
    assert said(derived({"data.columns": ["income", column]}), "data.contains_pii") == [True]


@pytest.mark.parametrize(
    "column", ["income", "filename_length", "n_emails_sent", "ship_date", "zip_ratio", "phone_model_age_days", ""]
)
def test_other_columns_say_nothing(column: str) -> None:
    found = derived({"data.columns": [column]})
    assert "data.contains_pii" not in found
    assert "data.protected_attributes" not in found


def test_columns_count_wherever_they_are_named() -> None:
    assert derived({"data.quality.failed": [{"column": "email"}, {"column": ""}]}).value("data.contains_pii") is True
    assert derived({"model.feature_sources": {"gender": ["s3://a"]}}).value("data.protected_attributes") == ["sex"]


# --- technical


def test_snapshot_is_no_later_than_training_where_nothing_says_more() -> None:
    found = derived({"training.started_at": "2026-11-21T05:19:12.703Z"}).best("data.snapshot_date")
    assert found is not None
    assert found.value == "2026-11-21"
    assert "may be older" in found.locator
    assert "data.snapshot_date" not in derived(
        {"training.started_at": "2026-11-21T05:19:12.703Z", "data.snapshot_date": "2026-10-01"}
    )


def test_architecture_falls_back_and_the_fallback_proves_nothing() -> None:
    values = {"model.framework": "scikit-learn", "model.task": "tabular-classification"}
    found = derived(values)
    assert found.value("model.architecture") == "scikit-learn tabular-classification (class not stated)"
    assert derived({"model.framework": "xgboost"}).value("model.architecture") == "xgboost (class not stated)"
    assert "model.architecture" not in derived({"model.framework": None})
    champion = facts_of(values).with_facts(found)
    assert "model.architecture_changed" not in derived(values, champion=champion, version="1")


LOGISTIC = {
    "model.architecture": "LogisticRegression",
    "model.predict_method": "predict",
    "performance.metrics": {"roc_auc": 0.9, "true_positives": 3.0},
}


def test_threshold_is_suggested_only_where_predict_decides_between_two_classes() -> None:
    assert derived(LOGISTIC).value("model.decision_threshold") == 0.5
    for name, other in (
        ("model.architecture", "SVC"),
        ("model.predict_method", "predict_proba"),
        ("performance.metrics", {"accuracy": 0.9}),
    ):
        assert "model.decision_threshold" not in derived({**LOGISTIC, name: other})
    assert "model.decision_threshold" not in derived({**LOGISTIC, "model.decision_threshold": 0.4})


def test_a_suggested_threshold_never_says_that_nothing_changed() -> None:
    champion = facts_of(LOGISTIC).with_facts(derived(LOGISTIC))
    assert "model.threshold_change" not in derived(LOGISTIC, champion=champion, version="1")
    stated = facts_of({**LOGISTIC, "model.decision_threshold": 0.5})
    assert "model.threshold_change" not in derived(LOGISTIC, champion=stated, version="1")


def test_evaluation_on_the_training_data_is_said() -> None:
    assert derived({"evaluation.dataset_digest": "e75f0b96", "training.dataset_digest": "aa, e75f0b96"}).value(
        "evaluation.on_training_data"
    )
    assert "evaluation.on_training_data" not in derived(
        {"evaluation.dataset_digest": "e7", "training.dataset_digest": "e75f0b96"}
    )
    assert "evaluation.on_training_data" not in derived({"evaluation.dataset_digest": "e7"})


# --- champion


def test_first_deployment_makes_everything_new() -> None:
    found = derived({"data.sources": ["s3://a"], "model.features": ["x", "y"], "model.architecture": "SVC"})
    assert found.value("champion.exists") is False
    assert found.value("system.first_deployment") is True
    assert found.value("data.new_sources") == ["s3://a"]
    assert found.value("model.new_features") == ["x", "y"]
    assert found.value("model.architecture_changed") is True
    assert found.value("model.unapproved_features") == ["x", "y"]
    for name in (
        "champion.version",
        "rollout.rollback_target",
        "performance.baseline",
        "model.removed_features",
        "model.threshold_change",
    ):
        assert name not in found
    fact = found.best("champion.exists")
    assert fact is not None and (fact.assurance, fact.origin) == (REGISTRY, "register")


def test_first_deployment_without_anything_known() -> None:
    assert set(derived({}).by_name) == {"champion.exists", "system.first_deployment"}


def test_a_champion_whose_facts_are_not_kept_is_there_but_compares_with_nothing() -> None:
    found = derived({"model.features": ["x"], "data.sources": ["a"], "model.architecture": "SVC"}, version="2.2.0")
    assert found.value("champion.exists") is True
    assert found.value("system.first_deployment") is False
    assert found.value("champion.version") == found.value("rollout.rollback_target") == "2.2.0"
    assert not {"model.new_features", "data.new_sources", "model.architecture_changed", "performance.figures_comparable"} & set(
        found.by_name
    )


def test_a_champion_without_a_recorded_version() -> None:
    found = derived({}, champion={})
    assert found.value("champion.exists") is True
    assert found.value("champion.version") == "(version not recorded)"
    assert "rollout.rollback_target" not in found


def test_features_and_sources_against_the_champion() -> None:
    now = {"model.features": ["a", "b", "c"], "data.sources": ["s3://a", "s3://n"]}
    champion = {"model.features": ["a", "b", "z"], "data.sources": ["s3://a"]}
    found = derived(now, champion=champion, version="1")
    assert found.value("model.new_features") == ["c"]
    assert found.value("model.removed_features") == ["z"]
    assert found.value("data.new_sources") == ["s3://n"]
    same = derived(champion, champion=champion, version="1")
    assert (same.value("model.new_features"), same.value("model.removed_features"), same.value("data.new_sources")) == (
        [],
        [],
        [],
    )
    assert same.value("model.unapproved_features") == []


@pytest.mark.parametrize(
    ("now", "champion"),
    [({}, {"model.features": ["a"], "data.sources": ["s"]}), ({"model.features": ["a"], "data.sources": ["s"]}, {})],
)
def test_one_unknown_side_says_nothing(now: dict[str, Any], champion: dict[str, Any]) -> None:
    found = derived(now, champion=champion, version="1")
    assert not {"model.new_features", "data.new_sources", "model.unapproved_features", "model.removed_features"} & set(
        found.by_name
    )
    assert "model.new_features" not in derived({"model.features": ["a"]}, champion={"model.features": None}, version="1")


def test_every_statement_about_features_counts() -> None:
    both = facts_of({"model.features": ["a", "b"]}).with_facts(facts_of({"model.features": ["a"]}, DECLARED, "dana"))
    found = derived(both, champion={"model.features": ["a"]}, version="1").best("model.new_features")
    assert found is not None
    assert found.value == ["b"]
    assert found.assurance is DECLARED


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("LogisticRegression", "LogisticRegression", False),
        ("sklearn.linear_model.LogisticRegression", "LogisticRegression", False),
        ("XGBClassifier", "LogisticRegression", True),
        ("Pipeline", "Pipeline", None),
        ("xgboost.core.Booster", "xgboost.core.Booster", None),
        ("GridSearchCV", "SVC", None),
        ("xgboost (class not stated)", "xgboost (class not stated)", None),
        ("", "", None),
    ],
)
def test_architecture_against_the_champion(now: str, before: str, expected: bool | None) -> None:
    found = derived({"model.architecture": now}, champion={"model.architecture": before}, version="1")
    assert found.value("model.architecture_changed") is expected


def test_another_framework_is_another_architecture() -> None:
    now, before = {"model.framework": "xgboost"}, {"model.framework": "scikit-learn"}
    assert derived(now, champion=before, version="1").value("model.architecture_changed") is True
    assert derived(now, champion=now, version="1").value("model.architecture_changed") is None


def test_two_names_for_the_architecture_are_a_change_unless_both_were_the_champions() -> None:
    two = facts_of({"model.architecture": "SVC"}).with_facts(facts_of({"model.architecture": "LinearSVC"}, origin="run.json"))
    assert derived(two, champion={"model.architecture": "SVC"}, version="1").value("model.architecture_changed") is True
    assert derived({"model.architecture": "SVC"}, champion=two, version="1").value("model.architecture_changed") is False


@pytest.mark.parametrize(
    ("now", "before", "expected"), [(0.5, 0.5, 0), (0.55, 0.5, 0.05), (0.45, 0.5, 0.05), (0.1 + 0.2, 0.3, 0)]
)
def test_threshold_change(now: float, before: float, expected: float) -> None:
    found = derived({"model.decision_threshold": now}, champion={"model.decision_threshold": before}, version="1")
    assert found.value("model.threshold_change") == expected


def test_the_largest_threshold_change_anybody_states_counts() -> None:
    two = facts_of({"model.decision_threshold": 0.5}).with_facts(facts_of({"model.decision_threshold": 0.7}, DECLARED, "dana"))
    assert derived(two, champion={"model.decision_threshold": 0.5}, version="1").value("model.threshold_change") == 0.2


# --- performance


def _performance(metric: str, value: float, digest: str | None = "d1", metrics: dict[str, float] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"performance.metric": metric, "performance.candidate": value}
    if digest is not None:
        found["evaluation.dataset_digest"] = digest
    return {**found, "performance.metrics": metrics} if metrics else found


@pytest.mark.parametrize(
    ("metric", "now", "before", "expected"),
    [
        ("roc_auc", 0.84, 0.80, 0.05),
        ("roc_auc", 0.76, 0.80, -0.05),
        ("log_loss", 0.38, 0.40, 0.05),
        ("rmse", 12.0, 10.0, -0.2),
        ("r2", -0.1, -0.2, 0.5),
        ("roc_auc", 0.8, 0.8, 0.0),
    ],
)
def test_relative_change_is_signed_so_that_positive_is_better(metric: str, now: float, before: float, expected: float) -> None:
    found = derived(_performance(metric, now), champion=_performance(metric, before), version="1")
    assert found.value("performance.relative_change") == pytest.approx(expected, abs=1e-12)
    assert found.value("performance.baseline") == before
    assert said(found, "performance.figures_comparable") == [True]


@pytest.mark.parametrize(
    ("now", "before", "reason"),
    [
        (_performance("f1", 0.8), _performance("roc_auc", 0.8), "the champion has no f1 (it has roc_auc)"),
        (_performance("roc_auc", 0.8), _performance("roc_auc", 0.8, "d2"), "measured on data d1, the champion's on d2"),
        (_performance("roc_auc", 0.8), _performance("roc_auc", 0.8, None), "the champion's on unknown data"),
        (
            _performance("roc_auc", 0.8, None),
            _performance("roc_auc", 0.8, None),
            "nothing says on which data roc_auc was measured",
        ),
        (_performance("profit", 0.8), _performance("profit", 0.7), "whether a higher profit is better is not known"),
        (_performance("r2", 0.8), _performance("r2", 0), "the champion's r2 is 0"),
    ],
)
def test_what_cannot_be_compared_says_why_and_gives_no_change(now: dict[str, Any], before: dict[str, Any], reason: str) -> None:
    found = derived(now, champion=before, version="1")
    fact = found.best("performance.figures_comparable")
    assert fact is not None
    assert fact.value is False
    assert reason in fact.locator
    assert "performance.baseline" not in found
    assert "performance.relative_change" not in found


def test_no_performance_on_one_side_says_nothing() -> None:
    assert "performance.figures_comparable" not in derived(_performance("f1", 0.8), champion={}, version="1")
    assert "performance.figures_comparable" not in derived({}, champion=_performance("f1", 0.8), version="1")
    assert "performance.figures_comparable" not in derived(
        {"performance.candidate": 0.8}, champion=_performance("f1", 0.8), version="1"
    )


def test_the_champions_other_metrics_are_compared_by_their_canonical_names() -> None:
    champion = _performance("roc_auc", 0.8, metrics={"auc": 0.8, "f1_score": 0.5})
    assert derived(_performance("f1", 0.6), champion=champion, version="1").value("performance.relative_change") == pytest.approx(
        0.2
    )


def test_every_stated_value_gives_its_change_and_none_can_be_picked() -> None:
    now = facts_of(_performance("roc_auc", 0.88)).with_facts(facts_of(_performance("roc_auc", 0.80), origin="README.md"))
    before = facts_of(_performance("auc", 0.80)).with_facts(facts_of(_performance("roc_auc", 0.88), origin="README.md"))
    changes = said(derived(now, champion=before, version="1"), "performance.relative_change")
    assert sorted(round(change, 4) for change in changes) == [-0.0909, 0.0, 0.0, 0.1]


def test_a_measured_baseline_replaces_what_files_say() -> None:
    before = facts_of(_performance("roc_auc", 0.80)).with_facts(facts_of(_performance("roc_auc", 0.70), MEASURED, "collector"))
    found = derived(_performance("roc_auc", 0.77), champion=before, version="1")
    assert said(found, "performance.baseline") == [0.70]
    fact = found.best("performance.relative_change")
    assert fact is not None and fact.value == pytest.approx(0.1)
    assert fact.assurance is FILE


def test_relative_change_of_an_unknown_metric_is_none() -> None:
    assert relative_change("profit", 1.0, 2.0) is None
    assert relative_change("roc_auc", 1.0, 0) is None


# --- registers


def test_new_features_are_approved_by_name_or_by_all_their_sources() -> None:
    now = {
        "model.features": ["a", "b", "c", "d", "e"],
        "model.feature_sources": {"c": ["feast://credit/c"], "d": ["feast://credit/d", "s3://raw"], "e": "feast://credit/../raw"},
    }
    found = derived(now, champion={"model.features": ["a"]}, version="1", features=["b"], sources=["feast://credit/"])
    assert found.value("model.new_features") == ["b", "c", "d", "e"]
    assert found.value("model.unapproved_features") == ["d", "e"]


def test_an_approved_source_is_meant_exactly_unless_it_ends_in_a_slash() -> None:
    now = {"model.features": ["a"], "model.feature_sources": {"a": ["s3://bucket2/x"]}}
    assert derived(now, sources=["s3://bucket"]).value("model.unapproved_features") == ["a"]
    assert derived(now, sources=["s3://bucket/"]).value("model.unapproved_features") == ["a"]
    assert derived(now, sources=["s3://bucket2/"]).value("model.unapproved_features") == []
    assert derived(now, sources=["s3://bucket2/x"]).value("model.unapproved_features") == []


def test_all_statements_about_a_features_source_count() -> None:
    now = facts_of({"model.features": ["a"], "model.feature_sources": {"a": ["ok"]}}).with_facts(
        facts_of({"model.feature_sources": {"a": ["other"]}}, DECLARED, "dana")
    )
    assert derived(now, sources=["ok"]).value("model.unapproved_features") == ["a"]
    fact = derived(now, sources=["ok", "other"]).best("model.unapproved_features")
    assert fact is not None and (fact.value, fact.assurance) == ([], DECLARED)


def test_approvals_count_only_for_every_source() -> None:
    approvals = {"s3://a/": "DG-1", "s3://b": "DG-2", "s3://c": ""}
    both = derived({"data.sources": ["s3://a/x.parquet", "s3://b"]}, approvals=approvals)
    assert both.value("data.pii_approval_registered") is True
    assert both.value("data.pii_approval") == "DG-1 (s3://a/x.parquet); DG-2 (s3://b)"
    assert both.value("data.contains_pii") is True
    one = derived({"data.sources": ["s3://b", "s3://c"]}, approvals=approvals)
    assert one.value("data.pii_approval_registered") is False
    assert "data.pii_approval" not in one
    none = derived({"data.sources": ["s3://c"]}, approvals=approvals)
    assert none.value("data.pii_approval_registered") is False
    assert "data.contains_pii" not in none
    assert "data.pii_approval_registered" not in derived({}, approvals=approvals)


def test_an_approval_found_by_a_typed_source_is_worth_what_is_typed() -> None:
    fact = derived(facts_of({"data.sources": ["s3://b"]}, DECLARED, "dana"), approvals={"s3://b": "DG-2"}).best(
        "data.pii_approval_registered"
    )
    assert fact is not None and fact.assurance is DECLARED


# --- carried over


def test_answers_about_use_are_carried_over_and_the_model_is_not() -> None:
    champion = facts_of(
        {"decision.automated": True, "rollout.strategy": "canary", "model.features": ["a"], "impact.financial": None}, MEASURED
    )
    rows = carry_over(facts_of({"rollout.strategy": "full"}), champion, "2.2.0")
    assert [(fact.name, fact.value, fact.assurance, fact.origin) for fact in rows] == [
        ("decision.automated", True, DECLARED, "carried over from 2.2.0")
    ]


def test_what_is_said_to_be_unknown_is_offered_again() -> None:
    rows = carry_over(facts_of({"decision.automated": None}), facts_of({"decision.automated": False}), "2")
    assert [fact.value for fact in rows] == [False]


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [("marketing", "credit", [True]), ("credit", "credit", [False]), (None, "credit", []), ("credit", None, [])],
)
def test_another_purpose_than_the_champions_is_said(now: str | None, before: str | None, expected: list[bool]) -> None:
    found = derived(
        {"decision.domain": now} if now else {}, champion={"decision.domain": before} if before else {}, version="1.0.0"
    )
    assert said(found, "decision.domain_changed") == expected
