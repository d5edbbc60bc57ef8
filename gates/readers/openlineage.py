"""OpenLineage events as one file: a single event, a JSON list, or one event a line (`.ndjson`, as its file transport writes).

Names of data sets are `namespace/name` as registers spell them; jobs likewise. The last event of a run decides how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.json_report import mapping_of, read_report_text, rows_of, words_of

WAY_OUT = "Upload OpenLineage run events (JSON, or one event a line), or the dvc.lock of the pipeline."
MOST_EVENTS = 100_000
ENDS = ("COMPLETE", "ABORT", "FAIL")


@dataclass
class Lineage:
    """What a pipeline read and wrote. `ended`: how the newest run ended ("" while it runs or when nobody says); `ended_at`: ISO.

    `digests`: name of a data set or file -> its digest, where the format keeps one; `columns`: outputs with column lineage.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    ended: str = ""
    ended_at: str = ""
    run_id: str = ""
    owners: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)


def read(evidence: EvidenceInput) -> Lineage:
    """Read a file or raise EvidenceProblem."""
    events = events_in(read_report_text(evidence, expected="OpenLineage events", way_out=WAY_OUT))
    if not events:
        raise EvidenceProblem(
            file=evidence.name, expected="OpenLineage events with “run”, “job” and “eventTime”", found="another document",
            way_out=WAY_OUT,
        )  # fmt: skip
    if len(events) > MOST_EVENTS:
        raise EvidenceProblem(
            file=evidence.name, expected=f"at most {MOST_EVENTS:,} events", found=f"{len(events):,}", way_out="Send one run."
        )
    return from_events(events)


def events_in(words: str) -> list[Mapping[str, Any]]:
    """The events a text holds; empty when it holds none."""
    text = words.strip()
    try:
        found = json.loads(text)
    except RecursionError:
        return []
    except ValueError:
        found = []
        for line in text.splitlines()[: MOST_EVENTS + 1]:
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError):
                if line.strip():
                    return []
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, Mapping) and "eventTime" in row and isinstance(row.get("job"), Mapping)]


def from_events(events: list[Mapping[str, Any]]) -> Lineage:
    """Put the events of a file together. Events of the same moment keep the file's order."""
    told = Lineage()
    for event in sorted(events, key=lambda row: words_of(row.get("eventTime"), 40)):
        _once(told.jobs, _name(mapping_of(event, "job")))
        for side, names in (("inputs", told.inputs), ("outputs", told.outputs)):
            for row in rows_of(event, side):
                name = _name(row)
                _once(names, name)
                facets = mapping_of(row, "facets")
                for owner in rows_of(mapping_of(facets, "ownership"), "owners"):
                    _once(told.owners, words_of(owner.get("name"), 120))
                if mapping_of(facets, "columnLineage"):
                    _once(told.columns, name)
                count = mapping_of(mapping_of(row, "outputFacets"), "outputStatistics").get("rowCount")
                if isinstance(count, int) and not isinstance(count, bool):
                    told.rows[name] = count
        for owner in rows_of(mapping_of(mapping_of(mapping_of(event, "job"), "facets"), "ownership"), "owners"):
            _once(told.owners, words_of(owner.get("name"), 120))
        run = words_of(mapping_of(event, "run").get("runId"), 80)
        kind = words_of(event.get("eventType"), 20).upper()
        if run and run != told.run_id:
            told.run_id, told.ended, told.ended_at = run, "", ""
        if kind in ENDS:
            told.ended, told.ended_at = kind, words_of(event.get("eventTime"), 40)
    return told


def _name(row: Mapping[str, Any]) -> str:
    space, name = words_of(row.get("namespace"), 200), words_of(row.get("name"), 200)
    return f"{space.rstrip('/')}/{name}" if space else name


def _once(names: list[str], name: str) -> None:
    if name and name not in names:
        names.append(name)
