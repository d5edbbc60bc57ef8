"""Whether each data source may be used for this: legal basis, purposes, end of the agreement, licence. Read in the register."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gates.collecting import Collected, Inputs
from gates.metrics.lineage import entry_of, moment
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "consent"
TITLE = "Looking what the data may be used for"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_REGISTERS = ("registered_sources", "as_of")
USES_FACTS = ("data.sources", "data.consent_basis", "decision.domain")

ANY = frozenset({"any", "*", "any purpose", "all"})
NOT_PERSONAL = "not_personal_data"


def collect(inputs: Inputs) -> Collected:
    """Per declared source: `consent.basis` and `consent.purpose` (1, 0, or none with the reason), `consent.days_left`,
    `consent.licence`. What the register does not say is a measure without a value.
    """
    declared = inputs.facts.get("data.sources")
    names = [str(name).strip() for name in declared if str(name).strip()] if isinstance(declared, list | tuple) else []
    if not names:
        return Collected(
            not_measured="No data source is declared (data.sources), so nobody can say what its data may be used for."
        )
    register = inputs.settings.get("registered_sources")
    known = {str(name).strip().lower(): entry for name, entry in register.items()} if isinstance(register, Mapping) else {}
    basis, domain = inputs.facts.get("data.consent_basis"), inputs.facts.get("decision.domain")
    now = moment(inputs.settings.get("as_of"))
    measures = [Measure("consent.sources", float(len(names)), text=", ".join(names[:50]))]
    for name in dict.fromkeys(names[:100]):
        entry = entry_of(name.lower(), known)
        group = f"source={name[:280]}"
        if not isinstance(entry, Mapping):
            why = f"{name} is not in the register of data sources."
            measures += [Measure(f"consent.{what}", None, group, reason=why) for what in ("basis", "purpose")]
            continue
        measures.append(_basis(name, group, entry, str(basis or "")))
        measures.append(_purpose(name, group, entry, str(domain or "")))
        measures.extend(_end(name, group, entry, now))
        licence = str(entry.get("licence") or "").strip()
        measures.append(
            Measure(
                "consent.licence",
                1.0 if licence else None,
                group,
                text=licence,
                reason="" if licence else f"No licence of {name} is registered.",
            )
        )
    return Collected(measures=tuple(measures))


def _basis(name: str, group: str, entry: Mapping[str, Any], declared: str) -> Measure:
    registered = str(entry.get("consent_basis") or "").strip()
    if registered:
        words = registered.replace("_", " ")
        if declared and declared != registered:
            words = f"{words} is registered, {declared.replace('_', ' ')} is declared"
        return Measure("consent.basis", 1.0, group, text=words, detail={"differs": bool(declared and declared != registered)})
    if entry.get("holds_personal_data") is not True:
        return Measure("consent.basis", 1.0, group, text="holds no personal data, says the register", detail={"differs": False})
    if declared:
        why = f"The legal basis of {name} is declared ({declared.replace('_', ' ')}), but not registered."
        return Measure("consent.basis", None, group, reason=why)
    return Measure("consent.basis", 0.0, group, text=f"{name} holds personal data, and no legal basis is registered or declared")


def _purpose(name: str, group: str, entry: Mapping[str, Any], domain: str) -> Measure:
    listed = entry.get("purposes")
    purposes = [str(item).strip().lower() for item in listed if str(item).strip()] if isinstance(listed, list | tuple) else []
    if not purposes:
        return Measure("consent.purpose", None, group, reason=f"The register does not say for which purposes {name} may be used.")
    if not domain:
        return Measure(
            "consent.purpose", None, group, reason="What the model decides about is not known, so no purpose can be compared."
        )
    covered = bool(ANY & set(purposes)) or domain.lower() in purposes
    text = f"{', '.join(item.replace('_', ' ') for item in purposes[:10])}"
    return Measure("consent.purpose", 1.0 if covered else 0.0, group, text=text, detail={"use": domain})


def _end(name: str, group: str, entry: Mapping[str, Any], now: datetime | None) -> Iterable[Measure]:
    ends = moment(entry.get("agreement_ends_on"))
    if ends is None:
        yield Measure("consent.days_left", None, group, reason=f"No end of the agreement on {name} is registered.")
    elif now is not None:
        yield Measure("consent.days_left", float((ends.date() - now.date()).days), group, text=f"{ends:%Y-%m-%d}")
