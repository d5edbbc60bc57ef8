"""Data quality: one counting query per file over DuckDB views, failed expectations, measures and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.collecting import Collected, EvidenceInput, Inputs, Picture
from gates.metrics.data_quality_counts_impl import ColumnCounts, Counts, count_table, duplicate_rows, unseen_rows
from gates.readers import great_expectations, quality_reports, tables, tfdv
from gates.readers.great_expectations import Expectation
from gates.spec import Measure
from governance.prefill.reported_tests import ReportedTests


def measure(inputs: Inputs) -> Collected:
    """Counts of the current sample (else the reference sample, else the predictions) against the reference, and failed
    expectations.
    """
    found = _Found()
    report = inputs.evidence.get("data_quality_report")
    if report is not None:
        if tfdv.looks_like(report):
            _anomalies(tfdv.read(report), report.name, found)
        elif quality_reports.looks_like(report):
            _reported(quality_reports.read(report), report.name, found)
        else:
            _expectations(great_expectations.read(report), report.name, found)
    elif isinstance(inputs.facts.get("data.quality.failed"), list):
        _declared(inputs.facts["data.quality.failed"], inputs.facts.get("data.quality.evaluated"), found)
    under_test = next(
        (
            inputs.evidence[role]
            for role in ("current_sample", "reference_sample", "candidate_predictions")
            if role in inputs.evidence
        ),
        None,
    )
    if under_test is not None:
        reference = (
            inputs.evidence.get("reference_sample")
            if under_test.role == "current_sample" or "current_sample" in inputs.evidence
            else None
        )
        _table(under_test, reference, found)
        predictions = inputs.evidence.get("candidate_predictions")
        if predictions is not None and predictions is not under_test:
            _keys_and_labels(predictions, found)
    if not found.measures:
        return Collected(
            not_measured="No data to look at: attach a current or reference sample, or a report on the data's quality."
        )
    return Collected(tuple(found.measures), (), tuple(found.pictures), tuple(found.notes))


@dataclass
class _Found:
    measures: list[Measure] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _expectations(report: great_expectations.Report, name: str, found: _Found) -> None:
    failed = [item for item in report.expectations if not item.held]
    suites = f" ({', '.join(report.suites)})" if report.suites else ""
    found.notes.append(f"{name}{suites}: {len(failed)} of {len(report.expectations)} expectations failed.")
    _failed(failed, len(report.expectations), found)


def _anomalies(report: tfdv.Report, name: str, found: _Found) -> None:
    """Anomalies of TensorFlow Data Validation, and the missing values its statistics count."""
    found.notes.append(f"{name} (TensorFlow Data Validation): {len(report.anomalies)} anomalies in {report.checked} columns.")
    _failed(list(report.anomalies), report.checked, found)
    for data in report.statistics:
        found.notes.append(f"{name}: statistics of {data.name}, {data.rows:,} rows.")
        if not any(row.metric == "quality.rows" for row in found.measures):
            found.measures.append(Measure("quality.rows", float(data.rows), n=data.rows, text=f"{data.name} in {name}"))
        for column, share in sorted(data.missing.items(), key=lambda pair: (-pair[1], pair[0]))[:200]:
            if share > 0:
                found.measures.append(
                    Measure("quality.reported_missing", share, group=f"column={column}", n=data.rows, text=name)
                )


def _reported(report: ReportedTests, name: str, found: _Found) -> None:
    """Tests of data quality that Evidently or Deepchecks report; a report without any says nothing here."""
    if report.tests:
        failed = [
            Expectation(test.kind, test.column, False, test.count, test.percent, None, test.severity,
                        "it could not be evaluated" if test.error else "", test.says)
            for test in report.failed
        ]  # fmt: skip
        found.notes.append(f"{name} ({report.tool}): {len(failed)} of {len(report.tests)} tests of data quality failed.")
        _failed(failed, len(report.tests), found)
    else:
        found.notes.append(f"{name} ({report.tool}) tests nothing about the data's quality.")
    if report.not_run:
        found.notes.append(f"{name}: {report.tool} did not run {', '.join(report.not_run[:10])}. That is not counted.")
    if report.others:
        found.notes.append(f"{name}: {report.others} tests are about something else and are not counted here.")


def _declared(rows: list[Any], evaluated: Any, found: _Found) -> None:
    """Failures that the metadata reader found in an uploaded Great Expectations source."""
    failed = [
        Expectation(
            str(row.get("expectation", "an expectation")),
            str(row.get("column") or ""),
            False,
            row.get("count"),
            row.get("percent"),
            severity=str(row.get("severity") or "critical"),
        )
        for row in rows
        if isinstance(row, Mapping)
    ]
    _failed(failed, int(evaluated) if isinstance(evaluated, int | float) else len(failed), found)


def _failed(failed: list[Expectation], evaluated: int, found: _Found) -> None:
    found.measures.append(Measure("quality.expectations", float(evaluated)))
    critical = [item for item in failed if item.severity == "critical"]
    found.measures.append(
        Measure("quality.failed_expectations", float(len(failed)), n=evaluated, detail={"critical": len(critical)})
    )
    merged: dict[str, Expectation] = {}
    for item in failed:
        group = f"expectation={item.kind} & column={item.column}" if item.column else f"expectation={item.kind}"
        if group not in merged or (item.count or 0) > (merged[group].count or 0):
            merged[group] = item
    for group, item in list(merged.items())[:500]:
        where = f"column “{item.column}”" if item.column else "the table"
        count = f"{item.count:,} rows" if item.count is not None else "the whole"
        percent = f" ({item.percent:.1f} %)" if item.percent is not None else ""
        words = f"{where}: {item.kind.removeprefix('expect_').replace('_', ' ')} does not hold for {count}{percent}"
        if item.says:
            words = f"{where}: {item.says}"
        if item.error:
            words = f"{where}: {item.kind.removeprefix('expect_').replace('_', ' ')} could not be evaluated"
        found.measures.append(
            Measure(
                "quality.failed_expectation",
                float(item.count or 0),
                group=group,
                n=item.rows,
                text=words,
                detail={"severity": item.severity},
            )
        )
    if failed:
        rows = tuple((item.column or "the table", item.kind, item.count, item.severity) for item in failed[:50])
        values = [
            {"label": f"{item.column or 'table'}: {item.kind.removeprefix('expect_')}"[:70], "count": item.count or 0}
            for item in failed[:15]
        ]
        found.pictures.append(
            _bars(
                "quality_expectations",
                "Failed expectations",
                f"{len(failed)} of {evaluated} expectations failed.",
                values,
                "Rows that break it",
                ("Column", "Expectation", "Rows", "Severity"),
                rows,
            )
        )


def _table(evidence: EvidenceInput, reference: EvidenceInput | None, found: _Found) -> None:
    if reference is evidence:
        reference = None
    views = {"data": evidence} if reference is None else {"data": evidence, "reference": reference}
    with tables.connect(views) as connection:
        before = count_table(connection, "reference", reference, None) if reference is not None else None
        counts = count_table(connection, "data", evidence, before)
        doubles = duplicate_rows(connection, "data", evidence)
        unseen = unseen_rows(connection, counts, before) if before is not None else {}
    found.measures.append(Measure("quality.rows", float(counts.rows), n=counts.rows, text=evidence.name))
    # rows of a prediction file repeat by nature: few groups, two labels, two decisions
    if not evidence.role.endswith("_predictions"):
        found.measures.append(
            Measure("quality.duplicate_rows", doubles / max(1, counts.rows), n=counts.rows, detail={"count": doubles})
        )
    found.measures.extend(_roles(evidence, counts))
    roles = frozenset(name for role in ("id", "label", "time") if isinstance(name := evidence.columns.get(role), str))
    found.measures.extend(_columns(counts, before, unseen, roles))
    found.measures.extend(_schema(evidence, reference))
    odd = tables.inspect(evidence).oddities
    found.notes.extend(f"{name}: {words}; it was read as text." for name, words in list(odd.items())[:20])
    found.pictures.append(_missing_picture(counts, before))


def _roles(evidence: EvidenceInput, counts: Counts) -> Iterable[Measure]:
    key, label = evidence.columns.get("id"), evidence.columns.get("label")
    by_name = {column.name: column for column in counts.columns}
    if isinstance(key, str) and key in by_name:
        present = by_name[key].present
        yield Measure(
            "quality.duplicate_keys",
            float(present - by_name[key].distinct_keys),
            n=counts.rows,
            text=key,
            group=f"file={evidence.name}",
        )
        if present < counts.rows:
            yield Measure(
                "quality.missing_keys", float(counts.rows - present), n=counts.rows, text=key, group=f"file={evidence.name}"
            )
    if isinstance(label, str) and label in by_name:
        yield Measure(
            "quality.label_missing",
            1 - by_name[label].present / max(1, counts.rows),
            n=counts.rows,
            text=label,
            group=f"file={evidence.name}",
        )


def _keys_and_labels(evidence: EvidenceInput, found: _Found) -> None:
    wanted = [name for role in ("id", "label") if isinstance(name := evidence.columns.get(role), str)]
    if not wanted:
        return
    with tables.connect({"data": evidence}) as connection:
        counts = count_table(connection, "data", evidence, None, only=wanted)
    found.measures.extend(_roles(evidence, counts))


def _columns(
    counts: Counts, before: Counts | None, unseen: Mapping[str, tuple[int, int]], roles: frozenset[str]
) -> Iterable[Measure]:
    known = {column.name: column for column in before.columns} if before is not None else {}
    for column in counts.columns[:1000]:
        if column.name in roles:
            continue
        missing = column.missing(counts.rows)
        old = known.get(column.name)
        was = old.missing(before.rows) if old is not None and before is not None else None
        group = f"column={column.name}"
        if missing > 0 or was:
            detail = {"reference": was, "increase": missing - was} if was is not None else {}
            yield Measure("quality.missing", missing, group=group, n=counts.rows, detail=detail)
        if column.constant:
            yield Measure("quality.constant", 1.0, group=group, n=counts.rows)
        if column.outside is not None and column.outside > 0 and old is not None and not column.key_like:
            text = f"known from {old.low:g} to {old.high:g}" if old.low is not None and old.high is not None else ""
            yield Measure("quality.out_of_range", column.outside / max(1, counts.rows), group=group, n=counts.rows, text=text)
        if column.name in unseen and unseen[column.name][0]:
            rows, levels = unseen[column.name]
            yield Measure("quality.unseen", rows / max(1, counts.rows), group=group, n=counts.rows, detail={"levels": levels})


def _schema(evidence: EvidenceInput, reference: EvidenceInput | None) -> Iterable[Measure]:
    if reference is None:
        return
    now, before = tables.inspect(evidence), tables.inspect(reference)
    label = reference.columns.get("label")
    gone = [name for name in before.names if name not in now.names and name != label]
    yield Measure("quality.missing_columns", float(len(gone)), text=", ".join(gone[:50]))
    numbers = tables.NUMERIC
    changed = [
        f"{name} ({before.kind(name)} before, {now.kind(name)} now)"
        for name in now.names
        if name in before.names and (before.kind(name) in numbers) != (now.kind(name) in numbers)
    ]
    yield Measure("quality.changed_types", float(len(changed)), text=", ".join(changed[:50]))


def _missing_picture(counts: Counts, before: Counts | None) -> Picture:
    known = {column.name: column for column in before.columns} if before is not None else {}
    ranked = sorted(counts.columns, key=lambda column: (-column.missing(counts.rows), column.name))[:15]
    rows = tuple(
        (
            column.name,
            f"{column.missing(counts.rows):.2%}",
            f"{known[column.name].missing(before.rows):.2%}" if before is not None and column.name in known else "–",
        )
        for column in ranked
    )
    gaps = [
        column
        for column in ranked
        if column.missing(counts.rows) > 0
        or (before is not None and column.name in known and known[column.name].missing(before.rows) > 0)
    ]
    drawn = gaps or ranked[:3]
    values: list[dict[str, Any]] = [
        {"label": column.name, "sample": word, "share": round(each.missing(of.rows), 6)}
        for column in drawn
        for word, each, of in (("reference", known.get(column.name), before), ("current", column, counts))
        if each is not None and of is not None
    ]
    worst: ColumnCounts | None = ranked[0] if ranked else None
    words = (
        f"{worst.name} is missing in {worst.missing(counts.rows):.1%} of {counts.rows:,} rows, the most of all columns."
        if worst is not None and worst.missing(counts.rows) > 0
        else f"No value is missing in {counts.rows:,} rows."
    )
    order = ["reference", "current"] if before is not None else ["current"]
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "bar", **({} if before is not None else {"style": "candidate"})},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": [column.name for column in drawn], "title": None},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": "Share of rows without a value",
                "axis": {"format": "%"},
                "scale": {"domain": [0, max(0.05, *(value["share"] for value in values))]},
            },
            **(
                {
                    "yOffset": {"field": "sample", "sort": order},
                    "color": {"field": "sample", "type": "nominal", "sort": order, "title": None},
                }
                if before is not None
                else {}
            ),
        },
    }
    columns = ("Column", "Missing now", "Missing in the reference")
    return Picture("quality_missing", "Missing values", words, spec, columns, rows)


def _bars(
    key: str,
    title: str,
    words: str,
    values: list[dict[str, Any]],
    axis: str,
    columns: tuple[str, ...],
    rows: tuple[tuple[Any, ...], ...],
) -> Picture:
    x: dict[str, Any] = {"field": "count", "type": "quantitative", "title": axis}
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "bar", "style": "candidate"},
        "encoding": {"y": {"field": "label", "type": "nominal", "sort": None, "title": None}, "x": x},
    }
    return Picture(key, title, words, spec, columns, rows)
