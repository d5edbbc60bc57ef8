"""Names of metrics, model classes and keywords, checked against the libraries that give them."""

from __future__ import annotations

import inspect

import pytest

from governance.prefill.domains import domain_hits, plain_words
from governance.prefill.estimators import class_from_parameters, is_specific
from governance.prefill.metric_names import (
    HIGHER_IS_BETTER,
    PREFERENCE,
    SHARES,
    canonical_metric,
    canonical_values,
    chosen_metric,
)


def test_hallmarks_name_exactly_one_class_of_scikit_learn() -> None:
    """Each class that is named from its parameters is the only one of scikit-learn's with them."""
    from sklearn.utils import all_estimators  # noqa: PLC0415 (slow; only this test needs it)

    named: dict[str, list[str]] = {}
    for name, cls in all_estimators():
        parameters = [key for key in inspect.signature(cls.__init__).parameters if key not in {"self", "args", "kwargs", "kw"}]
        found = class_from_parameters(parameters)
        if found:
            named.setdefault(found, []).append(name)
    assert named == {
        "LogisticRegression": ["LogisticRegression"],
        "GradientBoostingClassifier": ["GradientBoostingClassifier"],
        "HistGradientBoostingClassifier": ["HistGradientBoostingClassifier"],
    }


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("AUC", "roc_auc"),
        ("test_roc_auc", "roc_auc"),
        ("val/accuracy", "accuracy"),
        ("F1 Score", "f1"),
        ("eval-log-loss", "log_loss"),
        ("profit", "profit"),
        ("My Score", "My Score"),
        ("test_", "test_"),
    ],
)
def test_canonical_names(name: str, canonical: str) -> None:
    assert canonical_metric(name) == canonical


def test_every_preferred_metric_has_a_direction() -> None:
    assert set(PREFERENCE) == set(HIGHER_IS_BETTER)
    assert set(SHARES) < set(HIGHER_IS_BETTER)


def test_the_choice_does_not_depend_on_the_order_of_names() -> None:
    names = {"auc": 0.1, "roc_auc_score": 0.2, "accuracy": 0.3, "test_auc": 0.4}
    assert chosen_metric(names) == chosen_metric(dict(reversed(names.items()))) == "test_auc"
    assert chosen_metric({**names, "roc_auc": 0.5}) == "roc_auc"
    assert chosen_metric({"x": 1.0}) is None
    assert canonical_values(names) == {"roc_auc": 0.4, "accuracy": 0.3}


def test_wrappers_are_not_specific() -> None:
    assert is_specific("sklearn.linear_model.LogisticRegression")
    for name in ("Pipeline", "lightgbm.basic.Booster", "xgboost (class not stated)", " "):
        assert not is_specific(name)


def test_sentences_that_exclude_a_use_do_not_suggest_it() -> None:
    assert domain_hits("Ranks news. It isn't for loans; never for hiring") == {}
    assert domain_hits("Not for hiring. Scores loans.") == {"credit": ["loans"]}


def test_words_are_taken_apart() -> None:
    assert plain_words("creditRisk_v2/final-model") == "credit risk v2 final model"
