"""One version's scorecard: accuracy, what it does to people, and what the law asks, side by side, from what was judged."""

from __future__ import annotations

from dataclasses import dataclass

from gates.models import GateOutcome
from gates.selectors.outcomes import outcomes_of
from governance.domain.facts import FactSet
from governance.domain.vocabulary import State
from governance.models import Submission, System
from governance.selectors.champions import champion_of, decided_facts

ACCURACY, PEOPLE, LAW = "How well it decides", "What it does to people", "What the law asks"
_BY_CODE = {"GD108": LAW, "GD103": LAW, "GD112": LAW, "GX104": LAW, "GM101": ACCURACY, "GD110": PEOPLE}
_BY_LETTERS = {"GP": ACCURACY, "GF": PEOPLE, "GX": PEOPLE}


@dataclass(frozen=True)
class Family:
    """One column of the scorecard. `missing`: in words, why there is no row."""

    title: str
    rows: tuple[GateOutcome, ...]
    regimes: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Scorecard:
    """All three families of one version; `champion` says whether that is the one in force."""

    submission: Submission
    champion: bool
    families: tuple[Family, ...]


def scorecard(system: System, environment: str = "production") -> Scorecard | None:
    """The card of the version in force, else of the newest that was judged; None before any was. Three to five queries."""
    champion = champion_of(system_id=system.pk, environment=environment)
    shown = champion.submission if champion is not None else _newest(system, environment)
    if shown is None:
        return None
    outcomes = outcomes_of(shown.pk, shown.revision)
    facts = champion.facts if champion is not None else decided_facts(shown.pk)
    return Scorecard(shown, champion is not None, tuple(_family(title, outcomes, facts) for title in (ACCURACY, PEOPLE, LAW)))


def family_of(code: str) -> str:
    """Which family a gate belongs to; "" for one that belongs to none (cost, rollback, files)."""
    return _BY_CODE.get(code) or _BY_LETTERS.get(code[:2], "")


def _newest(system: System, environment: str) -> Submission | None:
    rows = Submission.objects.filter(system=system, environment=environment, outcomes__isnull=False)
    return rows.exclude(state=State.WITHDRAWN).select_related("version").order_by("-id").first()


def _family(title: str, outcomes: list[GateOutcome], facts: FactSet) -> Family:
    rows = tuple(row for row in outcomes if family_of(row.code) == title and row.verdict != "not_applicable")
    named = facts.value("regulation.regimes") if title == LAW else None
    regimes = tuple(str(each) for each in named) if isinstance(named, list) else ()
    missing = "" if rows or regimes else "Nothing of this was judged: no gate of this kind applies to it."
    return Family(title, rows, regimes, missing)
