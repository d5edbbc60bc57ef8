"""SARIF: which commit of which repository a scan was about. What was found is evidence (`scan_report`) and is judged by gates."""

from __future__ import annotations

from collections.abc import Iterator

from governance.domain.facts import Fact
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, text

NAME = "sarif"
TITLE = "SARIF scan report"
FILLS = ("code.repository", "code.commit")
ORDER = 40


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    return document.form is Form.JSON and text(data.get("version")).startswith("2.") and isinstance(data.get("runs"), list)


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    places = [
        (child(child("runs", i), child("versionControlProvenance", j)), mapping(row))
        for i, run in enumerate(sequence(mapping(document.data)["runs"]))
        for j, row in enumerate(sequence(mapping(run).get("versionControlProvenance")))
    ]
    for key, fact in (("repositoryUri", "code.repository"), ("revisionId", "code.commit")):
        found = {text(row.get(key)): child(place, key) for place, row in reversed(places) if text(row.get(key))}
        if len(found) == 1:
            yield from (source.fact(fact, value, place) for value, place in found.items())
        elif found:
            yield source.problem("runs", f"The runs name several values for {key}. Send one scan of one commit.")
    yield source.advice("", "What the scan found is judged from evidence: upload the same file as scan_report.")
