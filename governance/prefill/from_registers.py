"""Facts that follow from the registers of approved sources and features and of data-governance approvals."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.prefill.derived import derived, known, union
from governance.prefill.register_entries import is_listed


def register_facts(
    facts: FactSet, approved_sources: Collection[str], approved_features: Collection[str], approvals: Mapping[str, str]
) -> tuple[Fact, ...]:
    """Unapproved features among the new ones, and whether personal data is approved for each source."""
    return (*_unapproved(facts, approved_sources, approved_features), *_approvals(facts, approvals))


def _unapproved(facts: FactSet, approved_sources: Collection[str], approved_features: Collection[str]) -> tuple[Fact, ...]:
    """New features that are neither registered nor known to come only from approved sources."""
    new = known(facts, "model.new_features")
    if not new:
        return ()
    statements = known(facts, "model.feature_sources")
    used: list[Fact] = list(new)
    unapproved: list[str] = []
    for feature in union(new):
        if feature in approved_features:
            continue
        speaking = [fact for fact in statements if feature in fact.value]
        places = [place for fact in speaking for place in _places(fact.value[feature])]
        if places and all(is_listed(place, approved_sources) for place in places):
            used += [fact for fact in speaking if fact not in used]
        else:
            unapproved.append(feature)
    because = "new, and neither registered nor from approved sources only" if unapproved else "every new feature is approved"
    return (derived("model.unapproved_features", unapproved, used, f"{because}; register of approved features and sources"),)


def _places(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _approvals(facts: FactSet, approvals: Mapping[str, str]) -> tuple[Fact, ...]:
    """Approvals in force count only when *every* source anybody names has one."""
    statements = known(facts, "data.sources")
    sources = union(statements)
    if not sources:
        return ()
    found = {source: _approval(source, approvals) for source in sources}
    missing = [source for source, reference in found.items() if not reference]
    rows = []
    if missing:
        rows.append(derived("data.pii_approval_registered", False, statements, f"no approval for {', '.join(missing[:5])}"))
    else:
        words = "; ".join(f"{reference} ({source})" for source, reference in found.items())
        rows.append(derived("data.pii_approval_registered", True, statements, f"register of approvals: {words}"))
        rows.append(derived("data.pii_approval", words, statements, "register of approvals"))
    with_approval = [source for source, reference in found.items() if reference]
    if with_approval:
        because = f"an approval for personal data is registered for {', '.join(with_approval[:5])}"
        rows.append(
            derived(
                "data.contains_pii",
                True,
                [fact for fact in statements if fact.assurance > Assurance.DECLARED] or statements,
                because,
            )
        )
    return tuple(rows)


def _approval(source: str, approvals: Mapping[str, str]) -> str:
    return next((reference for entry, reference in sorted(approvals.items()) if reference and is_listed(source, [entry])), "")
