"""Entries for the registers out of files: a Feast registry dump, OpenLineage events, or CSV. Pure.

What a file says is a proposal, never an approval: it names features, owners and places, and people decide.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from governance.domain.errors import InvalidInput
from governance.prefill.safe_json import parse_json
from governance.prefill.sniffing import decode
from governance.prefill.source import Source, mapping, sequence, text

MOST_ENTRIES = 500
WAY_OUT = "Send what `feast registry-dump` prints, OpenLineage events as JSON, or CSV with a column “name”."


@dataclass(frozen=True)
class Dumped:
    """One entry a file holds. `values`: fields as the file gives them, not checked yet."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)


def entries_of(name: str, data: bytes, *, table_only: bool = False) -> tuple[str, list[Dumped]]:
    """What kind of file it is (`feast`, `openlineage`, `csv`), and its entries. Raises `InvalidInput` when it is neither.

    `table_only`: only CSV makes sense, because the other two know nothing but data sources.
    """
    source = Source(name, "")
    _, words, problem = decode(data, source)
    if problem is not None:
        raise InvalidInput(problem.detail)
    if words.lstrip()[:1] in ("{", "["):
        if table_only:
            raise InvalidInput(f"{name} is JSON. Send CSV with a column “name”: such files know only data sources.")
        value, problems, parsed = parse_json(words, source)
        if not parsed:
            raise InvalidInput(f"{name}: {problems[0].detail if problems else WAY_OUT}")
        for kind, read in (("feast", _feast), ("openlineage", _openlineage)):
            found = read(value)
            if found:
                return kind, _bounded(found)
        raise InvalidInput(f"{name} holds no feature view and no data set. {WAY_OUT}")
    return "csv", _bounded(_csv(name, words))


def _bounded(found: list[Dumped]) -> list[Dumped]:
    if len(found) > MOST_ENTRIES:
        raise InvalidInput(f"The file holds {len(found):,} entries; {MOST_ENTRIES} are taken at a time. Send it in parts.")
    return found


def _feast(value: Any) -> list[Dumped]:
    """Feature views of every kind, named `feast://project/view`, with their features; and the tables and files beneath.

    A view was refreshed when it was last materialised: when somebody last edited its definition says nothing of data.
    """
    document = mapping(value)
    project = text(document.get("project"))
    found = []
    for key in ("featureViews", "onDemandFeatureViews", "streamFeatureViews"):
        for row in sequence(document.get(key)):
            spec = mapping(mapping(row).get("spec"))
            view = text(spec.get("name"))
            if not view:
                continue
            own = text(spec.get("project")) or project or "default"
            features = [text(mapping(each).get("name")) for each in sequence(spec.get("features"))]
            values: dict[str, Any] = {
                "is_feature_store": True,
                "features": [each for each in features if each],
                "owner": text(spec.get("owner")) or text(mapping(spec.get("tags")).get("owner")),
            }
            intervals = sequence(mapping(mapping(row).get("meta")).get("materializationIntervals"))
            refreshed = max((text(mapping(each).get("endTime"))[:10] for each in intervals), default="")
            if refreshed:
                values["refreshed_on"] = refreshed
            found.append(Dumped(f"feast://{own}/{view}", values))
    batches = dict(filter(lambda pair: pair[0], map(_batch_source, sequence(document.get("dataSources")))))
    return [*found, *(Dumped(address, {"owner": owner}) for address, owner in batches.items())]


def _batch_source(row: Any) -> tuple[str, str]:
    """Address and owner of a source that lies somewhere: a whole address, or a table; ("", "") for what comes with a request."""
    source = mapping(row)
    for name, options in source.items():
        if not name.endswith("Options"):
            continue
        given = mapping(options)
        address = text(given.get("uri")) or text(given.get("path"))
        table = ".".join(part for key in ("database", "schema", "table") if (part := text(given.get(key))))
        if "://" in address:
            return address, text(source.get("owner"))
        if text(given.get("table")):
            return table, text(source.get("owner"))
    return "", ""


def _openlineage(value: Any) -> list[Dumped]:
    """Every data set the events name, with the owner its ownership facet gives."""
    events = [mapping(row) for row in (value if isinstance(value, list) else [value])]
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if "eventTime" not in event:
            continue
        for row in (*sequence(event.get("inputs")), *sequence(event.get("outputs"))):
            data_set = mapping(row)
            space, name = text(data_set.get("namespace")).rstrip("/"), text(data_set.get("name"))
            if not name:
                continue
            owners = sequence(mapping(mapping(data_set.get("facets")).get("ownership")).get("owners"))
            owner = next(filter(None, (text(mapping(each).get("name")) for each in owners)), "")
            values = found.setdefault(f"{space}/{name}" if space else name, {"owner": ""})
            values["owner"] = values["owner"] or owner
    return [Dumped(name, values) for name, values in found.items()]


def _csv(name: str, words: str) -> list[Dumped]:
    reader = csv.DictReader(io.StringIO(words), strict=True)
    try:
        header = [(column or "").strip().lower() for column in reader.fieldnames or []]
        if "name" not in header:
            raise InvalidInput(f"{name} has no column “name”. {WAY_OUT}")
        found = list[dict[str, str]]()
        for row in csv.reader(io.StringIO(words), strict=True):
            if len(found) > MOST_ENTRIES + 1:
                break
            found.append(dict(zip(header, row, strict=False)))
    except csv.Error as exc:
        raise InvalidInput(f"{name} is no CSV: {exc}. {WAY_OUT}") from exc
    rows = found[1:]
    return [
        Dumped(row["name"].strip(), {key: value for key, value in row.items() if key and key != "name" and value.strip()})
        for row in rows
        if row.get("name", "").strip()
    ]
