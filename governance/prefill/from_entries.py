"""Facts that follow from entries of the registers: sources by quality rule, region and class, architectures, vendors.

A register states what it holds. What it should hold and does not is said as well where the unit keeps the register at all;
otherwise nothing is said, and the unknown keeps its strictness. Of several statements the worst one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from governance.domain.facts import Fact, FactSet
from governance.domain.registers import ACCESS_CLASSES
from governance.prefill.derived import known, looked_up, union
from governance.prefill.fact_types import ARCHITECTURE_APPROVALS, VENDOR_ASSESSMENTS
from governance.prefill.register_entries import RegisterEntries, SourceRow, is_listed

UNSTATED_CLASS = ACCESS_CLASSES.index("internal")
"""Up to this class nobody has to state one."""


def entry_facts(facts: FactSet, entries: RegisterEntries) -> tuple[Fact, ...]:
    """What the registers say about the sources, the architecture and the vendor of a submission."""
    return (*_sources(facts, entries), *_architecture(facts, entries), *_vendor(facts, entries))


def _sources(facts: FactSet, entries: RegisterEntries) -> Iterator[Fact]:
    statements = known(facts, "data.sources")
    places = union(statements)
    rows = {place: row for place in places if (row := _row(place, entries.sources)) is not None}
    if rows:
        bare = [place for place, row in rows.items() if not row.quality_rule]
        yield looked_up("data.sources_without_quality_rule", bare, statements, _because("no quality rule", bare, "each has one"))
        personal = [place for place, row in rows.items() if row.holds_personal_data]
        because = _because("registered as holding personal data", personal, "none holds personal data")
        yield looked_up("data.sources_with_personal_data", personal, statements, because)
        yield from _classes(facts, rows, statements)
    if places and entries.regions:
        yield from _regions(facts, {place: row.region for place, row in rows.items()}, places, statements, entries)


def _row(place: str, sources: Mapping[str, SourceRow]) -> SourceRow | None:
    """The entry that names the place most exactly."""
    named = [name for name in sources if is_listed(place, [name])]
    return sources[max(named, key=len)] if named else None


def _classes(facts: FactSet, rows: Mapping[str, SourceRow], statements: Sequence[Fact]) -> Iterator[Fact]:
    ranks = {place: ACCESS_CLASSES.index(row.access_class) for place, row in rows.items() if row.access_class in ACCESS_CLASSES}
    if not ranks:
        return
    highest = max(ranks.values())
    top = [place for place, rank in ranks.items() if rank == highest]
    yield looked_up("data.highest_class", ACCESS_CLASSES[highest], statements, f"register of data sources: {', '.join(top[:5])}")
    stated = [fact for fact in known(facts, "data.access_class") if fact.value in ACCESS_CLASSES]
    if stated:
        allowed = min(ACCESS_CLASSES.index(fact.value) for fact in stated)
        above = [f"{place} ({ACCESS_CLASSES[rank]})" for place, rank in ranks.items() if rank > allowed]
        because = f"compared with {ACCESS_CLASSES[allowed]}, as stated; register of data sources"
        yield looked_up("data.sources_above_class", above, [*statements, *stated], because)
    elif highest <= UNSTATED_CLASS:
        because = f"none above {ACCESS_CLASSES[UNSTATED_CLASS]}; register of data sources"
        yield looked_up("data.sources_above_class", [], statements, because)


def _regions(
    facts: FactSet, found: Mapping[str, str], places: Sequence[str], statements: Sequence[Fact], entries: RegisterEntries
) -> Iterator[Fact]:
    """Sources stored where the unit allows none. Nothing is said of the rest while the region of one is not registered."""
    yield looked_up("data.regions_ruled", True, (), f"the unit keeps a register of {len(entries.regions)} regions")
    regimes = known(facts, "regulation.regimes")
    allowed = {place: _allowed(found.get(place, ""), regimes, entries.regions) for place in places}
    outside = [f"{place} ({found[place]})" for place, may in allowed.items() if may is False]
    if outside or None not in allowed.values():
        because = _because("stored where it may not be", outside, "each is stored in an allowed region")
        yield looked_up("data.sources_outside_regions", outside, [*statements, *regimes], because)


def _allowed(region: str, regimes: Sequence[Fact], regions: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Whether data may lie in a region under these regimes; None when that cannot be told."""
    if not region:
        return None
    row = next((values for name, values in regions.items() if name.lower() == region.lower()), None)
    if row is None or not row.get("approved"):
        return False
    only = set(row.get("regimes") or ())
    if not only:
        return True
    return set(union(regimes)) <= only if regimes else None


def _architecture(facts: FactSet, entries: RegisterEntries) -> Iterator[Fact]:
    statements = known(facts, "model.architecture")
    if not statements or not entries.architectures:
        return
    domains = known(facts, "decision.domain")
    words = {name: _approval(name, union(domains), entries) for name in union(statements)}
    worst = max(words.values(), key=ARCHITECTURE_APPROVALS.index)
    because = "register of architectures: " + "; ".join(f"{name} is {word.replace('_', ' ')}" for name, word in words.items())
    yield looked_up("model.architecture_approval", worst, [*statements, *domains], because)


def _approval(name: str, domains: Sequence[str], entries: RegisterEntries) -> str:
    spelled = {name.lower(), name.lower().rpartition(".")[2]}
    row = next((values for entry, values in entries.architectures.items() if entry.lower() in spelled), None)
    if row is None:
        return "not_registered"
    if not row.get("approved"):
        return "withdrawn"
    if row.get("valid_until") and row["valid_until"] < entries.today:
        return "ended"
    purposes = set(row.get("purposes") or ())
    fits = not purposes or "any" in purposes or (bool(domains) and set(domains) <= purposes)
    return "approved" if fits else "another_use"


def _vendor(facts: FactSet, entries: RegisterEntries) -> Iterator[Fact]:
    third_party = [fact for fact in known(facts, "vendor.third_party") if fact.value is True]
    names = known(facts, "vendor.name")
    if not third_party or not names:
        return
    words = {name: _assessment(name, entries) for name in union(names)}
    worst = max(words.values(), key=VENDOR_ASSESSMENTS.index)
    because = "register of vendors: " + "; ".join(f"{name}: {word.replace('_', ' ')}" for name, word in words.items())
    yield looked_up("vendor.assessment", worst, names, because)


def _assessment(name: str, entries: RegisterEntries) -> str:
    row = next((values for entry, values in entries.vendors.items() if entry.lower() == name.lower()), None)
    if row is None or not row.get("outcome"):
        return "not_assessed"
    if row["outcome"] == "failed":
        return "failed"
    ended = not row.get("valid_until") or row["valid_until"] < entries.today
    return "ended" if ended else str(row["outcome"])


def _because(what: str, found: Sequence[str], otherwise: str) -> str:
    return f"register of data sources: {what}: {', '.join(found[:5])}" if found else f"register of data sources: {otherwise}"
