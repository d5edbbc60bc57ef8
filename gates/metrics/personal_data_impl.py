"""Personal data: a sample of distinct values per column against the recognisers, and the column names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import duckdb

from gates.collecting import Collected, EvidenceInput, Inputs, MeasuredFact, Picture
from gates.metrics.personal_data_features_impl import identifier_features
from gates.metrics.personal_data_found_impl import Found
from gates.metrics.personal_data_patterns_impl import NAMED, RECOGNISERS, SURE, kind_by_name, looks_hashed, mask, supports
from gates.readers import tables
from gates.readers.tables import quote_name
from gates.spec import Measure
from governance.prefill.column_names import protected_columns

SAMPLED = 300
ROWS = 2_000_000
MARKS_THAT_CLEAR = ("wrong", "hashed")
MARK_WORDS = {"wrong": "a false alarm", "hashed": "hashed", "expected": "expected and declared", "remove": "to be removed"}


def measure(inputs: Inputs) -> Collected:
    """Look through the samples, else through the declared column names.

    A steward's marks (`settings["column_marks"]`: column -> mark and the kind it was found as) take columns out (hashed, wrong),
    declare them (expected) or ask for their removal, and are said in notes. A mark holds for what was found then, nothing else.
    """
    files = [
        inputs.evidence[role] for role in ("reference_sample", "current_sample", "explanation_sample") if role in inputs.evidence
    ]
    found: dict[str, Found] = {}
    hashed: set[str] = set()
    notes: list[str] = []
    for evidence in files:
        for item in _scan(evidence, inputs.seed, notes, hashed):
            known = found.get(item.column)
            if known is None or item.confidence > known.confidence:
                found[item.column] = item
    names = inputs.facts.get("data.columns") or inputs.facts.get("model.features")
    looked_at_names = isinstance(names, list | tuple) and bool(names)
    for name in names if isinstance(names, list | tuple) else ():
        if str(name) not in found and (kind := kind_by_name(str(name))):
            found[str(name)] = Found(str(name), kind, "column name", SURE, None, "", "declared columns")
    if not files and not looked_at_names:
        return Collected(not_measured="No data and no column names to look at: attach a reference or current sample.")
    if not files:
        notes.append("Only column names were looked at: no sample is attached.")
    register = inputs.settings.get("column_marks")
    marks = {item.column: mark for item in found.values() if (mark := _mark(item, register, notes))}
    kept = [item for item in found.values() if marks.get(item.column) not in MARKS_THAT_CLEAR]
    notes.append("Names and addresses are found by column name only; formats with a fixed shape also by content.")
    collected = _collected(inputs, kept, marks, notes)
    cleared = {column for column, mark in marks.items() if mark in MARKS_THAT_CLEAR}
    collected = replace(
        collected, measures=(*collected.measures, *identifier_features(inputs, found, hashed, cleared, bool(files)))
    )
    protected = _protected(files)
    return replace(collected, facts=(*collected.facts, protected)) if protected is not None else collected


def _protected(files: Iterable[EvidenceInput]) -> MeasuredFact | None:
    """Protected attributes among the columns of the samples, by name; columns mapped as `sensitive` are kept apart on purpose.

    None when no name says one: that is no proof of absence, so nothing is claimed.
    """
    columns: dict[str, str] = {}
    for evidence in files:
        apart = evidence.columns.get("sensitive") or []
        for name, _ in tables.inspect(evidence).columns:
            if name not in ([apart] if isinstance(apart, str) else apart):
                columns.setdefault(name, evidence.name)
    found = protected_columns(columns)
    where = ", ".join(sorted({column for names in found.values() for column in names}))
    return MeasuredFact("data.protected_attributes", sorted(found), locator=f"columns {where}") if found else None


def _scan(evidence: EvidenceInput, seed: int, notes: list[str], hashed: set[str]) -> Iterable[Found]:
    info = tables.inspect(evidence)
    if info.rows > ROWS:
        notes.append(f"{evidence.name}: the first {ROWS:,} of {info.rows:,} rows were looked at.")
    with tables.connect({"data": evidence}) as connection:
        for name, kind in info.columns:
            by_name = kind_by_name(name)
            values = _distinct(connection, name, info.rows, seed) if kind in ("text", "integer") else []
            if looks_hashed(values):
                hashed.add(name)
            by_value = None if name in hashed else _recognise(name, kind, values, evidence.name)
            if by_value is not None:
                yield by_value
            elif by_name and kind != "other":
                yield Found(name, by_name, "column name", SURE, None, "", evidence.name)


def _distinct(connection: duckdb.DuckDBPyConnection, name: str, rows: int, seed: int) -> list[str]:
    """Up to 300 distinct values, the same ones for the same file and seed."""
    cell = quote_name(name)
    source = f"(SELECT {cell} FROM data LIMIT {ROWS}) AS part" if rows > ROWS else "data"
    query = (
        f"SELECT v FROM (SELECT DISTINCT CAST({cell} AS VARCHAR) AS v FROM {source} WHERE {cell} IS NOT NULL) AS d "
        f"ORDER BY hash(v || '{int(seed)}'), v LIMIT {SAMPLED}"
    )
    return [str(row[0]).strip()[:200] for row in connection.execute(query).fetchall()]


def _recognise(column: str, kind: str, values: list[str], file: str) -> Found | None:
    """The surest recogniser whose share of the distinct values suffices."""
    if not values:
        return None
    best: Found | None = None
    for recogniser in RECOGNISERS:
        if kind == "integer" and not recogniser.numeric:
            continue
        named = supports(recogniser, column)
        if recogniser.confidence < SURE and not (named and recogniser.confidence >= NAMED):
            continue
        hits = [value for value in values if recogniser.matches(value)]
        share = len(hits) / len(values)
        if share >= (0.10 if named else recogniser.share) and hits and (best is None or recogniser.confidence > best.confidence):
            best = Found(
                column,
                recogniser.kind,
                "format and name" if named else "format",
                recogniser.confidence,
                share,
                mask(hits[0]),
                file,
            )
    return best


def _mark(item: Found, register: object, notes: list[str]) -> str:
    """The data steward's mark on what was found, or ""."""
    entry = register.get(item.column) if isinstance(register, Mapping) else None
    if not isinstance(entry, Mapping):
        return ""
    mark, kind = str(entry.get("mark") or ""), str(entry.get("kind") or "")
    if mark not in MARK_WORDS:
        return ""
    if kind != item.kind:
        notes.append(
            f"{item.column}: marked as {MARK_WORDS[mark]} when it held {kind}; now it looks like {item.kind}, so it counts."
        )
        return ""
    tail = ", not counted" if mark in MARKS_THAT_CLEAR else ""
    notes.append(f"{item.column}: found as {item.kind}, marked as {MARK_WORDS[mark]} by the data steward{tail}.")
    return mark


def _collected(inputs: Inputs, found: list[Found], marks: Mapping[str, str], notes: list[str]) -> Collected:
    columns = [item.column for item in found]
    features = inputs.facts.get("model.features")
    used = [name for name in columns if isinstance(features, list | tuple) and name in features]
    approval = inputs.facts.get("data.pii_approval")
    approved = inputs.facts.get("data.pii_approval_registered") is True or (
        isinstance(approval, str) and len(approval.strip()) >= 3
    )
    declared = inputs.facts.get("data.contains_pii") is True or (
        bool(found) and all(marks.get(name) == "expected" for name in columns)
    )
    remove = [name for name in columns if marks.get(name) == "remove"]
    kinds = ", ".join(f"{item.column} ({item.kind})" for item in found)
    measures = [
        Measure("personal_data.columns", float(len(found)), text=kinds),
        Measure("personal_data.declared", 1.0 if declared else 0.0),
        Measure("personal_data.approved", 1.0 if approved else 0.0, text=str(approval or "")[:200]),
        Measure("personal_data.used_as_feature", float(len(used)), text=", ".join(used)),
        Measure("personal_data.must_remove", float(len(remove)), text=", ".join(remove)),
    ]
    for item in found:
        detail = {
            "kind": item.kind,
            "detector": item.detector,
            "confidence": item.confidence,
            "shape": item.shape,
            "file": item.file,
            "share": item.share,
            "mark": marks.get(item.column, ""),
        }
        measures.append(
            Measure("personal_data.column", item.confidence, group=f"column={item.column}", text=item.kind, detail=detail)
        )
    facts: tuple[MeasuredFact, ...] = ()
    pictures: tuple[Picture, ...] = ()
    if found:
        facts = (MeasuredFact("data.contains_pii", True, locator=", ".join(columns)), MeasuredFact("data.pii_columns", columns))
        pictures = (_picture(found),)
    return Collected(tuple(measures), facts, pictures, tuple(notes))


def _picture(found: list[Found]) -> Picture:
    rows = tuple(
        (
            item.column,
            item.kind,
            item.detector,
            f"{item.confidence:.2f}",
            "–" if item.share is None else f"{item.share:.0%}",
            item.shape or "–",
        )
        for item in found
    )
    values = [{"label": f"{item.column}: {item.kind}", "confidence": item.confidence} for item in found[:20]]
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "bar", "style": "candidate"},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "title": None},
            "x": {
                "field": "confidence",
                "type": "quantitative",
                "title": "Confidence of the detector",
                "scale": {"domain": [0, 1]},
            },
        },
    }
    words = (
        f"{len(found)} columns look like personal data. Values themselves are never stored; the shape shows "
        "letters as a and digits as 9."
    )
    return Picture(
        "personal_data",
        "Columns with personal data",
        words,
        spec,
        ("Column", "Kind", "Found by", "Confidence", "Values that match", "Shape"),
        rows,
    )
