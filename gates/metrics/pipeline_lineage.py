"""What a pipeline reads and writes, from OpenLineage events or `dvc.lock`, against the register of data sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gates.collecting import Collected, EvidenceInput, Inputs
from gates.metrics.lineage import entry_of, moment
from gates.readers import dvc_lock, openlineage
from gates.readers.json_report import read_report_text
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "pipeline_lineage"
TITLE = "Tracing what the pipeline reads and writes"
VERSION = 1
HEAVY = False
REQUIRES = (EvidenceRole.LINEAGE,)
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_REGISTERS = ("registered_sources", "as_of")
USES_FACTS = ("data.sources", "data.outputs", "pipeline.last_success_at", "pipeline.promised_hours")


def collect(inputs: Inputs) -> Collected:
    """Counts of data sets read and written, those no register knows, approves or gives an owner, and how the last run ended."""
    evidence = inputs.evidence[EvidenceRole.LINEAGE]
    told = read(evidence)
    register = inputs.settings.get("registered_sources")
    known = {str(name).strip().lower(): entry for name, entry in register.items()} if isinstance(register, Mapping) else None
    measures = [
        Measure("pipeline.inputs", float(len(told.inputs)), text=", ".join(told.inputs[:30])),
        Measure("pipeline.outputs", float(len(told.outputs)), text=", ".join(told.outputs[:30])),
        *_registered(told.inputs, known),
        *_undeclared("inputs", told.inputs, inputs.facts.get("data.sources")),
        *_undeclared("outputs", told.outputs, inputs.facts.get("data.outputs")),
        *_last_run(told, inputs),
    ]
    notes = [f"{evidence.name}: {len(told.jobs)} jobs, {len(told.inputs)} data sets read, {len(told.outputs)} written."]
    if told.columns:
        notes.append(f"Column lineage is recorded for {', '.join(told.columns[:10])}.")
    return Collected(tuple(measures), notes=tuple(notes))


def read(evidence: EvidenceInput) -> openlineage.Lineage:
    """The file by its content: a lock file of DVC, else OpenLineage."""
    words = read_report_text(evidence, expected="OpenLineage events or a dvc.lock", way_out=openlineage.WAY_OUT)
    return dvc_lock.read(evidence) if dvc_lock.looks_like(words) else openlineage.read(evidence)


def _registered(names: list[str], known: Mapping[str, Any] | None) -> Iterable[Measure]:
    if known is None:
        yield Measure("pipeline.unregistered", None, reason="The register of data sources was not at hand.")
        return
    entries = {name: entry_of(name.lower(), known) for name in names}
    unknown = [name for name, entry in entries.items() if not isinstance(entry, Mapping)]
    found = {name: entry for name, entry in entries.items() if isinstance(entry, Mapping)}
    unapproved = [name for name, entry in found.items() if entry.get("approved") is not True]
    ownerless = [name for name, entry in found.items() if not str(entry.get("owner") or "").strip()]
    for metric, wrong in (("unregistered", unknown), ("unapproved", unapproved), ("without_owner", ownerless)):
        yield Measure(f"pipeline.{metric}", float(len(wrong)), n=len(names), text=", ".join(wrong[:20]))


def _undeclared(side: str, found: list[str], declared: Any) -> Iterable[Measure]:
    """What the run touched and nobody declared: the run is what happened."""
    if not isinstance(declared, list | tuple):
        return
    said = [str(name).strip().lower() for name in declared]
    missing = [
        name
        for name in found
        if not any(name.lower() == each or (each.endswith("/") and name.lower().startswith(each)) for each in said)
    ]
    yield Measure(f"pipeline.undeclared_{side}", float(len(missing)), n=len(found), text=", ".join(missing[:20]))


def _last_run(told: openlineage.Lineage, inputs: Inputs) -> Iterable[Measure]:
    if told.ended:
        yield Measure("pipeline.last_run", 1.0 if told.ended == "COMPLETE" else 0.0, text=f"{told.ended} at {told.ended_at}")
    ended = moment(told.ended_at) if told.ended == "COMPLETE" else moment(inputs.facts.get("pipeline.last_success_at"))
    now, promised = moment(inputs.settings.get("as_of")), inputs.facts.get("pipeline.promised_hours")
    if ended is None or now is None:
        yield Measure("pipeline.age_days", None, reason="Nobody said when the pipeline last came to a good end.")
        return
    # the day of handing in is all that is stored of it: ages count whole days, and a promise of hours is a day at least
    age = float((now.date() - ended.date()).days)
    yield Measure("pipeline.age_days", age, text=f"{ended:%Y-%m-%d}")
    if isinstance(promised, int | float) and not isinstance(promised, bool) and promised > 0:
        allowed = max(1.0, promised / 24)
        yield Measure("pipeline.late_days", max(0.0, age - allowed), text=f"promised every {promised:g} h, last {ended:%Y-%m-%d}")
    else:
        yield Measure("pipeline.late_days", None, reason="Nobody said how fresh its data has to be (pipeline.promised_hours).")
