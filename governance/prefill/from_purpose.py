"""Facts that follow from what a model is for: its domain, who is affected, and which regimes may apply."""

from __future__ import annotations

from governance.domain.facts import Fact, FactSet
from governance.prefill.derived import derived, known
from governance.prefill.domains import HIGH_RISK, REGIMES_BY_DOMAIN, suggested_domain

_SAYS_PURPOSE = ("model.intended_use", "business.context", "model.name")


def purpose_facts(facts: FactSet) -> tuple[Fact, ...]:
    """Suggested domain, affected customers, regimes and business context."""
    domain = _domain(facts)
    domains = [fact for fact in (*known(facts, "decision.domain"), *domain) if fact.value in HIGH_RISK]
    return (*domain, *_affected(domains), *_regimes(domains), *_context(facts))


def _domain(facts: FactSet) -> tuple[Fact, ...]:
    """Suggested even where another domain is stated: a contradiction has to be seen.

    The model's name counts when nothing else speaks.
    """
    for name in _SAYS_PURPOSE:
        for fact in known(facts, name):
            found = suggested_domain(str(fact.value))
            if found:
                domain, words = found
                return (derived("decision.domain", domain, [fact], f'suggested by "{words}"'),)
    return ()


def _affected(domains: list[Fact]) -> tuple[Fact, ...]:
    if not domains:
        return ()
    return (derived("decision.affects_customers", True, domains[:1], f"{domains[0].value} decisions affect people"),)


def _regimes(domains: list[Fact]) -> tuple[Fact, ...]:
    """One list for all high-risk domains stated or suggested.

    Which of them apply is for a person to say; none is never derived.
    """
    found: dict[str, str] = {}
    for fact in domains:
        for regime, why in REGIMES_BY_DOMAIN.get(str(fact.value), {}).items():
            found.setdefault(regime, why)
    if not found:
        return ()
    names = " and ".join(dict.fromkeys(str(fact.value) for fact in domains))
    return (derived("regulation.regimes", list(found), domains, f"may apply to {names} decisions"),)


def _context(facts: FactSet) -> tuple[Fact, ...]:
    intended = known(facts, "model.intended_use")
    if known(facts, "business.context") or not intended:
        return ()
    longest = max(intended, key=lambda fact: len(str(fact.value)))
    return (derived("business.context", longest.value, [longest], "the intended use"),)
