"""Performance of files too large to hold: joined and counted in DuckDB in parts of the row key, sums instead of rows.

Confusion matrices, log loss, Brier score and McNemar's counts are sums and come out as on rows. AUC comes from bins of a
two-thousandth of log-odds; its covariance between the two models from coarser bins of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import duckdb

from gates.collecting import EvidenceInput, EvidenceProblem, Inputs, working_on
from gates.metrics import performance_sums_impl as sums
from gates.metrics.fairness_counts_impl import distinct_ids
from gates.metrics.performance_digest_impl import PART_ROWS, digest_of
from gates.metrics.performance_metrics_impl import Result
from gates.metrics.performance_summary_impl import Summary
from gates.metrics.statistics import paired
from gates.readers import counting, keys, tables
from gates.readers import predictions as reader
from gates.readers.predictions import MISMATCH_SHARE
from gates.readers.tables import quote_name

LARGE_ROWS = 2_000_000


def large(evidence: EvidenceInput) -> bool:
    """Whether the file has more rows than are held in memory."""
    return tables.inspect(evidence).rows > LARGE_ROWS


@dataclass(frozen=True)
class _Side:
    """SQL of one model's columns; "" where the file has none."""

    evidence: EvidenceInput
    id: str
    label: str
    decision: str
    score: str
    weight: str
    note: str = ""


def measure(inputs: Inputs, evidence: EvidenceInput) -> tuple[dict[str, Result], Summary, list[str], str]:
    """As for rows in memory: results, what is known beside them, notes, why the champion is not comparable.

    Raises EvidenceProblem for the candidate's file; one with the champion's becomes the reason.
    """
    baseline = inputs.evidence.get("baseline_predictions")
    connection = tables.connect({"c": evidence})
    candidate = _side(connection, "c", evidence, _number(inputs, "model.decision_threshold"))
    if candidate.id:
        distinct_ids(connection, "c", evidence, candidate.id)
    notes = [candidate.note] if candidate.note else []
    champion, why = None, "No champion predictions were uploaded: add those of the version in production on the same rows."
    total: sums.Sums | None = None
    if baseline is not None:
        try:
            both = tables.connect({"c": evidence, "b": baseline})
            champion = _side(both, "b", baseline, _number(inputs, "champion.decision_threshold"))
            _comparable(both, candidate, champion)
            total, why = _counted(both, candidate, champion), ""
        except EvidenceProblem as problem:
            champion, why = None, str(problem)
    if total is None:
        total = _counted(connection, candidate, None)
    unlabelled = tables.inspect(evidence).rows - total.rows
    if unlabelled:
        notes.append(f"{unlabelled:,} rows in {evidence.name} have no label and are left out where one is needed.")
    _both_classes(total, evidence)
    results = {**total.areas(notes), **total.losses()}
    if candidate.decision:
        results.update(total.decisions(inputs.seed))
    summary = _summary(connection, candidate, champion, total)
    if summary.identical:
        notes.append(
            "Every score and decision equals the champion's. If the model was meant to change, the wrong file was uploaded."
        )
    notes.append(f"{summary.rows:,} rows were counted in the query engine instead of held in memory.")
    return results, summary, notes, why


def _number(inputs: Inputs, name: str) -> float | None:
    value = inputs.facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _side(connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput, threshold: float | None) -> _Side:
    """Check the mapped columns and turn them into SQL. Raises EvidenceProblem."""
    info = tables.inspect(evidence)
    roles = {role: reader.column_of(evidence, role) for role in ("id", "label", "prediction", "score", "weight")}
    if not roles["prediction"] and not roles["score"]:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a column mapping with `prediction` or `score`",
            found="neither" if evidence.columns else "no column mapping",
            way_out="Say which column holds the decision, the score, the label and the row id.",
        )
    tables.require(evidence, info, [column for column in roles.values() if column])
    for role in ("score", "weight"):
        if roles[role]:
            counting.check_numbers(connection, view, evidence, info, roles[role], role)
    score = f"CAST({quote_name(roles['score'])} AS DOUBLE)" if roles["score"] else ""
    label, decision = (
        counting.binary_sql(connection, view, evidence, info, roles[role], what) if roles[role] else ""
        for role, what in (("label", "label"), ("prediction", "decision"))
    )
    note = ""
    implied = f"CAST({score} >= {threshold!r} AS DOUBLE)" if score and threshold is not None else ""
    if decision:
        _whole_decisions(connection, view, evidence, roles["prediction"], decision, implied, threshold)
    elif implied:
        decision, note = implied, f"{evidence.name} has no decisions: score >= {threshold:g} counts as 1."
    weight = f"CAST({quote_name(roles['weight'])} AS DOUBLE)" if roles["weight"] else ""
    return _Side(evidence, roles["id"], label, decision, score, weight, note)


def _whole_decisions(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    evidence: EvidenceInput,
    column: str,
    decision: str,
    implied: str,
    threshold: float | None,
) -> None:
    rows = tables.inspect(evidence).rows
    missing = counting.scalar(connection, f"SELECT count(*) FROM {view} WHERE {decision} IS NULL")
    if missing:
        raise EvidenceProblem(
            file=evidence.name, column=column, expected="a decision in every row", found=f"{missing:,} of {rows:,} rows missing",
            way_out="Mend or remove these rows, and say so in the description of the evaluation set.",
        )  # fmt: skip
    differ = counting.scalar(connection, f"SELECT count(*) FROM {view} WHERE {decision} <> {implied}") if implied else 0
    if differ > MISMATCH_SHARE * rows:
        raise EvidenceProblem(
            file=evidence.name, column=column, expected=f"decisions that follow from score >= {threshold:g}",
            found=f"{differ:,} of {rows:,} that do not",
            way_out="Correct the decision threshold in the answers, or the decisions in the file.",
        )  # fmt: skip


def _comparable(connection: duckdb.DuckDBPyConnection, candidate: _Side, champion: _Side) -> None:
    """Raise EvidenceProblem unless both files have ids of their own, and are two files."""
    for side in (candidate, champion):
        if not side.id:
            raise EvidenceProblem(
                file=side.evidence.name,
                expected="an `id` column, to compare the same cases",
                found="none in the column mapping",
                way_out="Add the case id to both files and map it as `id`; row order is never used.",
            )
    if (
        candidate.evidence.sha256
        and candidate.evidence.sha256 == champion.evidence.sha256
        and ((candidate.score, candidate.decision) == (champion.score, champion.decision))
    ):
        raise EvidenceProblem(
            file=champion.evidence.name,
            expected="the champion's predictions",
            found="the candidate's own file again (same content, same columns)",
            way_out="Upload the predictions of the version in production on the same rows.",
        )
    distinct_ids(connection, "b", champion.evidence, champion.id)


def _same_rows(candidate: _Side, champion: _Side, matched: int, differ: int) -> None:
    """Raise EvidenceProblem unless both files hold the same ids with the same labels. `differ`: labels that do not."""
    rows, others = (tables.inspect(side.evidence).rows for side in (candidate, champion))
    if not matched == rows == others:
        raise EvidenceProblem(
            file=champion.evidence.name,
            column=champion.id,
            expected=f"the {rows:,} ids of {candidate.evidence.name}",
            found=f"{matched:,} of them among {others:,}",
            way_out="Score both versions on exactly the same cases.",
        )
    if differ:
        raise EvidenceProblem(
            file=champion.evidence.name,
            column=reader.column_of(champion.evidence, "label"),
            expected=f"the labels of {candidate.evidence.name} for the same ids",
            found=f"{differ:,} of {rows:,} labels that differ",
            way_out="Take the labels of both files from the same source.",
        )


def _key(side: _Side, other: _Side) -> str:
    """The id as text where the two files write it in different kinds."""
    kinds = {tables.inspect(each.evidence).kind(each.id) for each in (side, other)}
    return f"CAST({quote_name(side.id)} AS VARCHAR)" if len(kinds) > 1 else quote_name(side.id)


def _counted(connection: duckdb.DuckDBPyConnection, candidate: _Side, champion: _Side | None) -> sums.Sums:
    """Join, or only read, part by part, and add up. Raises EvidenceProblem when the champion's rows are not the candidate's."""
    has = sums.Has(
        scores=bool(candidate.score),
        both_scores=champion is not None and bool(candidate.score and champion.score),
        decisions=bool(candidate.decision),
        both_decisions=champion is not None and bool(candidate.decision and champion.decision),
        weights=bool(candidate.weight),
    )
    total = sums.Sums(has)
    key = _key(candidate, champion) if champion is not None else "NULL"
    own = (
        f"SELECT {key} AS k, CAST({candidate.label} AS TINYINT) AS y, "
        f"CAST({candidate.decision or 'NULL'} AS TINYINT) AS d, "
        f"{candidate.score or 'CAST(NULL AS DOUBLE)'} AS s, {candidate.weight or 'CAST(1 AS DOUBLE)'} AS w FROM c"
    )
    rows = tables.inspect(candidate.evidence).rows
    if champion is None:
        # nothing is held: every sum is a scan of the file
        connection.execute(
            f"CREATE TEMP VIEW j AS SELECT y, d, s, w, CAST(NULL AS TINYINT) AS d2, CAST(NULL AS DOUBLE) AS s2 "
            f"FROM ({own}) WHERE y IS NOT NULL"
        )
        total.add(connection)
        return total
    other_key = _key(champion, candidate)
    other = (
        f"SELECT {other_key} AS k, CAST({champion.decision or 'NULL'} AS TINYINT) AS d2, "
        f"{champion.score or 'CAST(NULL AS DOUBLE)'} AS s2, CAST({champion.label or 'NULL'} AS TINYINT) AS y2 FROM b"
    )
    parts = max(1, math.ceil(max(rows, tables.inspect(champion.evidence).rows) / PART_ROWS))
    matched = differ = 0
    for part in range(parts):
        working_on("comparing part {}", part + 1, parts)
        mine, theirs = (keys.in_part(each, part, parts) for each in (key, other_key))
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE joined AS SELECT y, d, s, w, d2, s2, y2 "
            f"FROM ({own} WHERE {mine}) a JOIN ({other} WHERE {theirs}) b ON a.k = b.k"
        )
        connection.execute("CREATE OR REPLACE TEMP VIEW j AS SELECT y, d, s, w, d2, s2 FROM joined WHERE y IS NOT NULL")
        matched += counting.scalar(connection, "SELECT count(*) FROM joined")
        if champion.label:
            differ += counting.scalar(connection, "SELECT count(*) FROM joined WHERE y IS DISTINCT FROM y2")
        total.add(connection)
    connection.execute("DROP VIEW j")
    connection.execute("DROP TABLE joined")
    _same_rows(candidate, champion, matched, differ)
    return total


def _both_classes(total: sums.Sums, evidence: EvidenceInput) -> None:
    if not total.rows or total.positives in (0, total.rows):
        found = "none at all" if not total.rows else f"only {1 if total.positives else 0} in {total.rows:,} rows"
        raise EvidenceProblem(
            file=evidence.name, column=reader.column_of(evidence, "label"), expected="both classes, 0 and 1", found=found,
            way_out="Use an evaluation set with both outcomes, and check that the right column is mapped as `label`.",
        )  # fmt: skip


def _summary(connection: duckdb.DuckDBPyConnection, candidate: _Side, champion: _Side | None, total: sums.Sums) -> Summary:
    tested = champion is not None and bool(candidate.decision) and bool(champion.decision)
    return Summary(
        rows=total.rows,
        positives=total.positives,
        negatives=total.rows - total.positives,
        comparable=champion is not None,
        identical=champion is not None and not total.differ,
        mcnemar=paired.mcnemar(total.only_first, total.only_second) if tested else None,
        constant=total.lowest == total.highest if candidate.score else None,
        weighted_auc=total.weighted_area if candidate.score and candidate.weight else None,
        digest=digest_of(connection, candidate.evidence, candidate.id, candidate.label) if candidate.id else "",
        curves=total.curves,
    )
