"""What changed against the champion: sources, features, architecture, threshold, performance, and where a rollback would lead."""

from __future__ import annotations

from collections.abc import Iterable

from governance.domain.facts import Fact, FactSet
from governance.prefill.derived import ORIGIN, derived, known, registered, union
from governance.prefill.estimators import class_name, is_specific
from governance.prefill.performance_change import performance_change

FIRST_VERSION = "first version"
"""The rollback target of a version before which there was none."""


def champion_facts(
    facts: FactSet, champion: FactSet | None, champion_version: str | None, nothing_before: bool = False
) -> tuple[Fact, ...]:
    """Facts about the champion and the change against it. Without a champion everything is new.

    `nothing_before`: no version was ever approved, so there is none to return to. A champion that ended leaves the question open.
    """
    if champion is None and champion_version is None:
        way_back = [registered("rollout.rollback_target", FIRST_VERSION, "no version was approved before this one")]
        return (*_existence(None), *(way_back if nothing_before else ()), *_all_new(facts))
    found = list(_existence(champion_version or "(version not recorded)"))
    if champion_version:
        found.append(registered("rollout.rollback_target", champion_version, "the champion in production"))
    if champion is None:
        return tuple(found)
    return (
        *found,
        *_purpose(facts, champion),
        *_new_sources(facts, champion),
        *_features(facts, champion),
        *_architecture(facts, champion),
        *_threshold(facts, champion),
        *performance_change(facts, champion),
    )


def _existence(version: str | None) -> tuple[Fact, ...]:
    exists = version is not None
    where = "versions in production"
    rows = [registered("champion.exists", exists, where), registered("system.first_deployment", not exists, where)]
    if exists:
        rows.append(registered("champion.version", version, where))
    return tuple(rows)


def _all_new(facts: FactSet) -> tuple[Fact, ...]:
    because = "first deployment: everything is new"
    rows = []
    for name, of in (("data.new_sources", "data.sources"), ("model.new_features", "model.features")):
        statements = known(facts, of)
        if statements:
            rows.append(derived(name, union(statements), statements, because))
    architecture = facts.best("model.architecture")
    if architecture is not None and architecture.known:
        rows.append(derived("model.architecture_changed", True, [architecture], because))
    return tuple(rows)


def _purpose(facts: FactSet, champion: FactSet) -> tuple[Fact, ...]:
    """Whether anybody says that the system now decides about something else. Silence on either side says nothing."""
    before = {fact.value for fact in known(champion, "decision.domain")}
    now = known(facts, "decision.domain")
    others = [fact for fact in now if fact.value not in before]
    if not before or not now:
        return ()
    because = f"the champion decides about {', '.join(sorted(map(str, before)))}"
    return (derived("decision.domain_changed", bool(others), others or list(now), because),)


def _new_sources(facts: FactSet, champion: FactSet) -> tuple[Fact, ...]:
    """Sources anybody names now and nobody named for the champion.

    One source may have several names (`acme/credit`, `s3://…`).
    """
    now, before = known(facts, "data.sources"), known(champion, "data.sources")
    if not now or not before:
        return ()
    old = set(union(before))
    return (
        derived("data.new_sources", [item for item in union(now) if item not in old], now, "not among the champion's sources"),
    )


def _features(facts: FactSet, champion: FactSet) -> tuple[Fact, ...]:
    now, before = known(facts, "model.features"), champion.best("model.features")
    if not now or before is None or not before.known:
        return ()
    old, new = union([before]), union(now)
    still, known_before = set(union(now[:1])), set(old)
    return (
        derived(
            "model.new_features", [item for item in new if item not in known_before], now, "not among the champion's features"
        ),
        derived("model.removed_features", [item for item in old if item not in still], now, "the champion's, no longer used"),
    )


def _architecture(facts: FactSet, champion: FactSet) -> tuple[Fact, ...]:
    """Unchanged only where both sides name the class itself; a wrapper or a framework's name proves nothing."""
    now, before = known(facts, "model.architecture"), known(champion, "model.architecture")
    frameworks = known(facts, "model.framework"), known(champion, "model.framework")
    name = "model.architecture_changed"
    if all(frameworks) and not _names(frameworks[0]) & _names(frameworks[1]):
        return (derived(name, True, frameworks[0], f"the champion uses {frameworks[1][0].value}"),)
    if not now or not before or not all(is_specific(str(fact.value)) for fact in (*now, *before)):
        return ()
    other = [fact for fact in now if not _names([fact]) <= _names(before)]
    if other:
        return (derived(name, True, other, f"the champion is {before[0].value}"),)
    return (derived(name, False, now, f"the champion is {before[0].value} too"),)


def _names(statements: Iterable[Fact]) -> set[str]:
    return {class_name(str(fact.value)).lower() for fact in statements}


def _threshold(facts: FactSet, champion: FactSet) -> tuple[Fact, ...]:
    """The largest difference anybody's statement gives. Suggested thresholds do not count: "no change" has to be stated."""
    now = [fact for fact in known(facts, "model.decision_threshold") if fact.origin != ORIGIN]
    before = [fact for fact in known(champion, "model.decision_threshold") if fact.origin != ORIGIN]
    if not now or not before:
        return ()
    old = before[0].value
    change = max(abs(fact.value - old) for fact in now)
    return (derived("model.threshold_change", round(change, 12), now, f"the champion decides at {old:g}"),)
