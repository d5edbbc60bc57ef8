"""Ages in days by the date of handing in. The newest row is read from the reference sample where a time column is mapped; else
the declared snapshot date stands for it, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, Picture
from gates.metrics.lineage import entry_of, moment
from gates.readers import tables
from gates.readers.tables import quote_name
from gates.spec import Measure

LINES = (180.0, 365.0)


def measure(inputs: Inputs) -> Collected:
    """`recency.newest_row_days`, `recency.snapshot_gap_days`, and `recency.refresh_days` of each declared source."""
    now = moment(inputs.settings.get("as_of"))
    if now is None:
        return Collected(not_measured="The day of handing in is not known, so no age can be told.")
    declared = moment(inputs.facts.get("data.snapshot_date"))
    evidence = inputs.evidence.get("reference_sample")
    oldest, newest = _span(evidence) if evidence is not None else (None, None)
    measures = [_row_age(newest, declared, now, evidence)]
    if newest is not None and declared is not None:
        gap = (declared.date() - newest.date()).days
        measures.append(
            Measure("recency.snapshot_gap_days", float(gap), text=f"{declared:%Y-%m-%d} declared, {newest:%Y-%m-%d} found")
        )
    if oldest is not None:
        measures.extend(_kept(oldest, inputs.facts.get("data.sources"), inputs.settings.get("registered_sources"), now))
    measures.extend(_sources(inputs.facts.get("data.sources"), inputs.settings.get("registered_sources"), now))
    pictures = (_picture(measures),) if any(row.value is not None for row in measures) else ()
    return Collected(tuple(measures), (), pictures)


def _span(evidence: EvidenceInput) -> tuple[datetime | None, datetime | None]:
    """The oldest and the newest row of the mapped time column; (None, None) where none is mapped."""
    name = evidence.columns.get("time")
    if not isinstance(name, str):
        return None, None
    tables.require(evidence, tables.inspect(evidence), [name])
    cell = quote_name(name)
    with tables.connect({"data": evidence}) as connection:
        row = connection.execute(f"SELECT min({cell}), max({cell}) FROM data").fetchone()
    oldest, newest = (moment(value) for value in (row or (None, None)))
    if newest is None or oldest is None:
        raise EvidenceProblem(
            file=evidence.name, column=name, expected="dates or times such as 2026-11-21", found="values that are none",
            way_out="Write ISO dates, or map columns.time to the column that holds them.",
        )  # fmt: skip
    return oldest.astimezone(UTC), newest.astimezone(UTC)


def _row_age(newest: datetime | None, declared: datetime | None, now: datetime, evidence: EvidenceInput | None) -> Measure:
    if newest is not None:
        words = f"{newest:%Y-%m-%d}, read from {evidence.name if evidence is not None else 'the sample'}"
        return Measure("recency.newest_row_days", float((now.date() - newest.date()).days), text=words, detail={"from": "rows"})
    if declared is not None:
        words = f"{declared:%Y-%m-%d}, as declared"
        return Measure(
            "recency.newest_row_days", float((now.date() - declared.date()).days), text=words, detail={"from": "declared"}
        )
    why = "Nobody said how new the newest row is: map columns.time in the reference sample, or declare data.snapshot_date."
    return Measure("recency.newest_row_days", None, reason=why)


def _kept(oldest: datetime, declared: object, register: object, now: datetime) -> Iterable[Measure]:
    """Days beyond the longest retention of the sources: a row cannot be traced to one of them, so the longest counts."""
    known = {str(name).strip().lower(): entry for name, entry in register.items()} if isinstance(register, Mapping) else {}
    names = [str(name).strip().lower() for name in declared] if isinstance(declared, list | tuple) else []
    kept = [entry.get("retention_days") for name in names if isinstance(entry := entry_of(name, known), Mapping)]
    days = [int(value) for value in kept if isinstance(value, int) and not isinstance(value, bool)]
    if days and len(days) == len(names):
        over = (now.date() - oldest.date()).days - max(days)
        words = f"oldest row {oldest:%Y-%m-%d}, {max(days)} days may be kept"
        yield Measure("recency.over_retention_days", float(over), text=words)


def _sources(declared: object, register: object, now: datetime) -> Iterable[Measure]:
    names = [str(name).strip() for name in declared if str(name).strip()] if isinstance(declared, list | tuple) else []
    if not names:
        yield Measure("recency.sources", None, reason="No data source is declared (data.sources).")
        return
    known = {str(name).strip().lower(): entry for name, entry in register.items()} if isinstance(register, Mapping) else {}
    yield Measure("recency.sources", float(len(names)), text=", ".join(names[:50]))
    for name in dict.fromkeys(names[:100]):
        group = f"source={name[:280]}"
        entry = entry_of(name.lower(), known)
        if not isinstance(entry, Mapping):
            yield Measure("recency.refresh_days", None, group, reason=f"{name} is not in the register of data sources.")
            continue
        refreshed = moment(entry.get("refreshed_on"))
        if refreshed is None:
            yield Measure(
                "recency.refresh_days", None, group, reason=f"The register does not say when {name} was last refreshed."
            )
        else:
            yield Measure(
                "recency.refresh_days", float((now.date() - refreshed.date()).days), group, text=f"{refreshed:%Y-%m-%d}"
            )


def _picture(measures: list[Measure]) -> Picture:
    told = [
        row for row in measures if row.value is not None and row.metric in ("recency.newest_row_days", "recency.refresh_days")
    ]
    named = [(row.group.removeprefix("source=") or "newest training row", row) for row in told[:20]]
    values = [{"label": label[:60], "days": row.value} for label, row in named]
    spec = {
        "width": 560,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "bar", "style": "candidate"},
                "encoding": {
                    "y": {"field": "label", "type": "nominal", "sort": None, "title": None},
                    "x": {"field": "days", "type": "quantitative", "title": "Days"},
                },
            },
            {
                "data": {"values": [{"line": line} for line in LINES]},
                "mark": {"type": "rule", "style": "limit"},
                "encoding": {"x": {"field": "line", "type": "quantitative"}},
            },
        ],
    }
    oldest = max(named, key=lambda pair: pair[1].value or 0.0, default=None)
    words = f"Lines mark {LINES[0]:.0f} and {LINES[1]:.0f} days."
    if oldest is not None:
        words = f"The oldest is {oldest[0]}: {oldest[1].value:.0f} days. {words}"
    rows = tuple((label, row.value, row.text) for label, row in named)
    return Picture("recency", "Age of the data", words, spec, ("What", "Days", "Since"), rows)
