"""OpenLineage run events as JSON (one, or a list): what was read and written, who owns it, when the run came to a good end.

One event a line (`.ndjson`) is read as evidence (`lineage`) only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.moments import from_text
from governance.prefill.source import Document, Form, Problem, Source, mapping, sequence, text

NAME = "openlineage"
TITLE = "OpenLineage events"
FILLS = ("data.sources", "data.outputs", "system.owner", "pipeline.run_id", "pipeline.last_success_at")
ORDER = 40


def recognises(name: str, document: Document) -> bool:
    return document.form is Form.JSON and bool(_events(document))


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    events = sorted(_events(document), key=lambda row: text(row.get("eventTime")))
    for side, fact in (("inputs", "data.sources"), ("outputs", "data.outputs")):
        names = [_name(mapping(row)) for event in events for row in sequence(event.get(side))]
        if any(names):
            yield source.fact(fact, list(dict.fromkeys(name for name in names if name)), f"[].{side}")
    owners = [
        text(mapping(owner).get("name"))
        for event in events
        for owner in sequence(mapping(mapping(mapping(event.get("job")).get("facets")).get("ownership")).get("owners"))
    ]
    if any(owners):
        yield source.fact("system.owner", next(filter(None, owners)), "[].job.facets.ownership")
    run = text(mapping(events[-1].get("run")).get("runId"))
    if run:
        yield source.fact("pipeline.run_id", run, "[].run.runId")
    ended = [text(row.get("eventTime")) for row in events if text(row.get("eventType")).upper() == "COMPLETE"]
    day = from_text(ended[-1]) if ended else None
    if day:
        yield source.fact("pipeline.last_success_at", day[:10], "[].eventTime")
    if text(events[-1].get("eventType")).upper() in ("FAIL", "ABORT"):
        yield source.advice("[].eventType", "The last run did not complete. Hand in the events of one that did.")


def _events(document: Document) -> list[dict[str, Any]]:
    data = document.data if isinstance(document.data, list) else [document.data]
    return [row for row in map(mapping, data) if "eventTime" in row and isinstance(row.get("job"), dict)]


def _name(row: dict[str, Any]) -> str:
    space, name = text(row.get("namespace")), text(row.get("name"))
    return f"{space.rstrip('/')}/{name}" if space and name else name
