"""Facts that follow from columns, features, parameters, times and the monitoring plan of a submission alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from governance.domain.facts import Fact, FactSet
from governance.prefill.column_names import identifying_columns, protected_columns, proxy_columns
from governance.prefill.derived import derived, known
from governance.prefill.estimators import NOT_STATED

_HALF_BY_DEFAULT = frozenset(
    {
        "LogisticRegression",
        "GradientBoostingClassifier",
        "HistGradientBoostingClassifier",
        "RandomForestClassifier",
        "ExtraTreesClassifier",
        "XGBClassifier",
        "LGBMClassifier",
        "CatBoostClassifier",
    }
)
_TWO_CLASSES = frozenset({"true_positives", "false_positives", "true_negatives", "false_negatives"})


def technical_facts(facts: FactSet) -> tuple[Fact, ...]:
    """Protected attributes, proxies, personal data by column names; snapshot date, architecture and threshold where
    they follow.
    """
    return (
        *_by_columns(facts, "data.protected_attributes", protected_columns, "names say"),
        *_by_columns(facts, "data.protected_proxies", proxy_columns, "likely proxies"),
        *_personal_data(facts),
        *_snapshot(facts),
        *_architecture(facts),
        *_threshold(facts),
        *_evaluated_on_training_data(facts),
        *_circuit_breaker(facts),
    )


def _columns(facts: FactSet) -> tuple[list[str], list[Fact]]:
    """Every column name anybody mentions, with the facts that do."""
    names: dict[str, None] = {}
    used: list[Fact] = []
    for name in ("model.features", "data.columns", "model.feature_sources", "data.quality.failed"):
        for fact in known(facts, name):
            found = (
                [row.get("column") for row in fact.value if isinstance(row, dict)]
                if name == "data.quality.failed"
                else fact.value
            )
            new = [str(item) for item in found if item and str(item) not in names]
            if new:
                names.update(dict.fromkeys(new))
                used.append(fact)
    return list(names), used


def _by_columns(
    facts: FactSet, name: str, match: Callable[[Iterable[str]], dict[str, list[str]]], words: str
) -> tuple[Fact, ...]:
    columns, used = _columns(facts)
    found = match(columns)
    if not found:
        return ()
    shown = "; ".join(f"{kind}: {', '.join(names[:5])}" for kind, names in found.items())
    return (derived(name, list(found), used, f"{words} ({shown})"),)


def _personal_data(facts: FactSet) -> tuple[Fact, ...]:
    columns, used = _columns(facts)
    found = identifying_columns(columns)
    if not found:
        return ()
    shown = "; ".join(f"{kind}: {', '.join(names[:5])}" for kind, names in found.items())
    return (derived("data.contains_pii", True, used, f"column names say {shown}"),)


def _snapshot(facts: FactSet) -> tuple[Fact, ...]:
    """No later than the start of training, where nothing says when the data was taken."""
    started = known(facts, "training.started_at")
    if known(facts, "data.snapshot_date") or not started:
        return ()
    earliest = min(started, key=lambda fact: str(fact.value))
    because = "upper bound: training started then, the data may be older"
    return (derived("data.snapshot_date", str(earliest.value)[:10], [earliest], because),)


def _architecture(facts: FactSet) -> tuple[Fact, ...]:
    """Framework and task where no file names the class; marked, so that it never proves that nothing changed."""
    framework, task = facts.best("model.framework"), facts.best("model.task")
    if known(facts, "model.architecture") or framework is None or not framework.known:
        return ()
    inputs = [framework, task] if task is not None and task.known else [framework]
    words = " ".join(str(fact.value) for fact in inputs)
    return (derived("model.architecture", f"{words} {NOT_STATED}", inputs, "no file names the model class"),)


def _threshold(facts: FactSet) -> tuple[Fact, ...]:
    """0.5, where the model is served by `predict` of a two-class classifier whose `predict` cuts its probability there.

    A suggestion for the form only: `against_champion` never computes "no change" from it.
    """
    architecture, method = facts.best("model.architecture"), facts.best("model.predict_method")
    if known(facts, "model.decision_threshold") or architecture is None or method is None:
        return ()
    metrics = next((fact for fact in known(facts, "performance.metrics") if _TWO_CLASSES & set(fact.value)), None)
    if architecture.value not in _HALF_BY_DEFAULT or method.value != "predict" or metrics is None:
        return ()
    because = f"{architecture.value}.predict decides between two classes at 0.5"
    return (derived("model.decision_threshold", 0.5, [architecture, method, metrics], because),)


def _evaluated_on_training_data(facts: FactSet) -> tuple[Fact, ...]:
    for evaluated in known(facts, "evaluation.dataset_digest"):
        for trained in known(facts, "training.dataset_digest"):
            if str(evaluated.value) in str(trained.value).split(", "):
                because = f"both digests are {evaluated.value}: the figures do not show how it does on new data"
                return (derived("evaluation.on_training_data", True, [evaluated, trained], because),)
    return ()


def _circuit_breaker(facts: FactSet) -> tuple[Fact, ...]:
    """There is one where the plan names a monitor that stops the model by itself. Silence says nothing."""
    for plan in known(facts, "monitoring.plan"):
        stopping = [str(row.get("kind")) for row in plan.value if isinstance(row, dict) and row.get("stops") is True]
        if stopping:
            because = f"the monitoring plan says that {', '.join(stopping)} stops it by itself"
            return (derived("rollout.circuit_breaker", True, [plan], because),)
    return ()
