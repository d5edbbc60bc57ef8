"""From a predictions file to counts by (attributes, label, decision): one scan in DuckDB, checked like any other predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import counting, keys, tables
from gates.readers import predictions as reader
from gates.readers.tables import Table, TableInfo, quote_name

MAX_LEVELS = 50
MAX_CELLS = 1_000_000


@dataclass(frozen=True)
class Cells:
    """Counts: row i stands for `count[i]` people with these attribute values, label (NaN: none) and decisions.

    `weight` and `weight2` are sums of row weights and of their squares (equal to `count` without weights); `score` the
    weighted sum of scores and `score2` that of their squares, or None. `champion` is the champion's decision for the same
    people, or None.
    """

    attributes: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    label: np.ndarray
    decision: np.ndarray
    champion: np.ndarray | None
    count: np.ndarray
    weight: np.ndarray
    weight2: np.ndarray
    score: np.ndarray | None
    score2: np.ndarray | None = None

    @property
    def rows(self) -> int:
        return int(self.count.sum())

    @property
    def labelled(self) -> bool:
        return bool((~np.isnan(self.label)).any())

    def of_champion(self) -> Cells:
        """The same people with the champion's decisions."""
        assert self.champion is not None
        return replace(self, decision=self.champion, champion=None, score=None, score2=None)


def count(
    candidate: EvidenceInput,
    baseline: EvidenceInput | None,
    *,
    threshold: float | None,
    champion_threshold: float | None,
    bins: Mapping[str, Sequence[float]],
) -> tuple[Cells, list[str]]:
    """Count the candidate's file, joined by id with the champion's when given. Returns the counts and notes for the reader.

    Raises EvidenceProblem for anything wrong with the candidate's file; a champion that cannot be joined becomes a note.
    """
    info = tables.inspect(candidate)
    attributes = reader.columns_of(candidate, "sensitive")
    roles = {role: reader.column_of(candidate, role) for role in ("id", "label", "prediction", "score", "weight")}
    tables.require(candidate, info, [*attributes, *(column for column in roles.values() if column)])
    if not roles["prediction"] and not (roles["score"] and threshold is not None):
        raise EvidenceProblem(
            file=candidate.name,
            expected="decisions (`prediction`), or scores with a decision threshold",
            found="neither",
            way_out="Map the decision column, or give the decision threshold of the model.",
        )
    connection = tables.connect({"c": candidate})
    _check_rows(connection, candidate, info, roles, attributes, bins)
    notes: list[str] = []
    sources, champion_column = ["c"], ""
    if baseline is not None:
        try:
            connection, champion_column, sources = _join(candidate, baseline, roles["id"], champion_threshold)
        except EvidenceProblem as problem:
            notes.append(f"The champion is not shown beside the candidate. {problem}")
    cells = _aggregate(connection, candidate, info, roles, attributes, sources, champion_column, threshold, bins, baseline)
    return cells, notes


def _check_rows(
    connection: duckdb.DuckDBPyConnection,
    evidence: EvidenceInput,
    info: TableInfo,
    roles: Mapping[str, str],
    attributes: Sequence[str],
    bins: Mapping[str, Sequence[float]],
) -> None:
    if roles["id"]:
        distinct_ids(connection, "c", evidence, roles["id"])
    for column in attributes:
        if column in bins and info.kind(column) in tables.NUMERIC:
            continue
        levels = counting.levels_up_to(connection, "c", column, MAX_LEVELS)
        if levels > MAX_LEVELS:
            numeric = info.kind(column) in ("integer", "number")
            raise EvidenceProblem(
                file=evidence.name,
                column=column,
                expected=f"a protected attribute with at most {MAX_LEVELS} values",
                found=f"more than {MAX_LEVELS} different values" + (" (a number?)" if numeric else " (an id?)"),
                way_out=(
                    "Add a column with bands, such as age_band with 25-34, and map that one."
                    if numeric
                    else "Map the column with the groups."
                ),
            )
    for role in ("score", "weight"):
        if roles[role]:
            counting.check_numbers(connection, "c", evidence, info, roles[role], role)


def distinct_ids(connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput, column: str) -> None:
    missing, doubled = keys.missing_and_doubled(connection, view, column, tables.inspect(evidence).kind(column))
    if missing or doubled:
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="each id once and in every row",
            found=f"{missing:,} rows without one" if missing else f"{doubled:,} rows that repeat one",
            way_out="Keep one row per case, or map the column that tells the rows apart.",
        )


def _join(
    candidate: EvidenceInput, baseline: EvidenceInput, id_column: str, threshold: float | None
) -> tuple[duckdb.DuckDBPyConnection, str, list[str]]:
    """A connection with both files, the SQL of the champion's decision, and what to select from, in parts that fit memory."""
    info = tables.inspect(baseline)
    other_id, prediction, score = (reader.column_of(baseline, role) for role in ("id", "prediction", "score"))
    if not id_column or not other_id:
        raise EvidenceProblem(
            file=baseline.name,
            expected="an `id` column in both files",
            found="none in the column mapping",
            way_out="Add the case id to both files and map it as `id`.",
        )
    tables.require(baseline, info, [column for column in (other_id, prediction, score) if column])
    if prediction:
        table = counting.levels_table(tables.connect({"b": baseline}), "b", info, prediction)
        reader.binary(baseline, table, prediction, "decision")
        decision = f"b.{quote_name(prediction)}"
    elif score and threshold is not None:
        decision = f"CAST(CAST(b.{quote_name(score)} AS DOUBLE) >= {float(threshold)!r} AS INTEGER)"
    else:
        raise EvidenceProblem(
            file=baseline.name,
            expected="decisions, or scores with the champion's threshold",
            found="neither",
            way_out="Map the champion's decision column.",
        )
    connection = tables.connect({"c": candidate, "b": baseline})
    distinct_ids(connection, "b", baseline, other_id)
    rows = counting.scalar(connection, "SELECT count(*) FROM c")
    sources = _parts(candidate, baseline, id_column, other_id)
    both = sum(counting.scalar(connection, f"SELECT count(*) FROM {source}") for source in sources)
    if not both == rows == info.rows:
        raise EvidenceProblem(
            file=baseline.name,
            column=other_id,
            expected=f"the {rows:,} ids of {candidate.name}",
            found=f"{both:,} of them among {info.rows:,}",
            way_out="Score both versions on exactly the same cases.",
        )
    return connection, decision, sources


def _parts(candidate: EvidenceInput, baseline: EvidenceInput, id_column: str, other_id: str) -> list[str]:
    first, second = tables.inspect(candidate), tables.inspect(baseline)
    kinds = {first.kind(id_column), second.kind(other_id)}
    left, right = (
        f"{view}.{quote_name(column)}" if len(kinds) == 1 else f"CAST({view}.{quote_name(column)} AS VARCHAR)"
        for view, column in (("c", id_column), ("b", other_id))
    )
    parts = keys.parts_for(max(first.rows, second.rows), whole=kinds == {"integer"})
    return [
        f"c JOIN b ON {left} = {right} WHERE {keys.in_part(left, part, parts)} AND {keys.in_part(right, part, parts)}"
        for part in range(parts)
    ]


def _aggregate(
    connection: duckdb.DuckDBPyConnection,
    evidence: EvidenceInput,
    info: TableInfo,
    roles: Mapping[str, str],
    attributes: Sequence[str],
    sources: Sequence[str],
    champion: str,
    threshold: float | None,
    bins: Mapping[str, Sequence[float]],
    baseline: EvidenceInput | None,
) -> Cells:
    groups = [
        f"{counting.group_sql(f'c.{quote_name(column)}', info.kind(column), bins.get(column))} AS g{i}"
        for i, column in enumerate(attributes)
    ]
    label = f"c.{quote_name(roles['label'])}" if roles["label"] else "NULL"
    score = f"CAST(c.{quote_name(roles['score'])} AS DOUBLE)" if roles["score"] else ""
    decision = (
        f"c.{quote_name(roles['prediction'])}"
        if roles["prediction"]
        else f"CAST({score} >= {float(threshold or 0)!r} AS INTEGER)"
    )
    weight = f"CAST(c.{quote_name(roles['weight'])} AS DOUBLE)" if roles["weight"] else "1.0"
    query = (
        f"SELECT {', '.join(groups)}, {label} AS label, {decision} AS decision, {champion or 'NULL'} AS champion, count(*) AS n, "
        f"sum({weight}) AS w, sum({weight} * {weight}) AS w2, {f'sum({weight} * {score})' if score else 'NULL'} AS s, "
        f"{f'sum({weight} * {score} * {score})' if score else 'NULL'} AS s2 "
    )
    k = len(attributes)
    try:
        rows = _counted(connection, query, sources, k + 3)
    except duckdb.Error as error:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a table that can be counted by group",
            found="one that the query engine refuses",
            way_out="Write the file again with the usual tools and upload it.",
        ) from error
    if len(rows) > MAX_CELLS:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"at most {MAX_CELLS:,} combinations of attribute values",
            found="more",
            way_out="Map fewer attributes, or coarser ones.",
        )
    values = {column: np.array([str(row[i]) for row in rows], dtype=object) for i, column in enumerate(attributes)}
    return Cells(
        tuple(attributes),
        values,
        label=_zero_one(evidence, info, roles["label"], [row[k] for row in rows], "label"),
        decision=_decisions(evidence, info, roles["prediction"], [row[k + 1] for row in rows]),
        champion=(
            _decisions(baseline, tables.inspect(baseline), reader.column_of(baseline, "prediction"), [row[k + 2] for row in rows])
            if champion and baseline is not None
            else None
        ),
        count=np.array([row[k + 3] for row in rows], dtype=np.float64),
        weight=np.array([row[k + 4] for row in rows], dtype=np.float64),
        weight2=np.array([row[k + 5] for row in rows], dtype=np.float64),
        score=np.array([row[k + 6] for row in rows], dtype=np.float64) if score else None,
        score2=np.array([row[k + 7] for row in rows], dtype=np.float64) if score else None,
    )


def _counted(connection: duckdb.DuckDBPyConnection, select: str, sources: Sequence[str], width: int) -> list[tuple[Any, ...]]:
    """The cells of all parts put together: `width` columns name a cell, the rest are sums. At most `MAX_CELLS` + 1 of them."""
    whole: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for source in sources:
        rows = connection.execute(f"{select} FROM {source} GROUP BY ALL ORDER BY ALL").fetchmany(MAX_CELLS + 1)
        if len(sources) == 1:
            return rows
        for row in rows:
            name, sums = row[:width], row[width:]
            before = whole.get(name)
            whole[name] = (
                sums if before is None else tuple(None if a is None else a + b for a, b in zip(before, sums, strict=True))
            )
    return [(*name, *sums) for name, sums in whole.items()]


def _decisions(evidence: EvidenceInput, info: TableInfo, column: str, values: list[Any]) -> np.ndarray:
    decision = _zero_one(evidence, info, column, values, "decision")
    if np.isnan(decision).any():
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="a decision in every row",
            found="missing ones",
            way_out="Mend or remove these rows, and say so in the description of the evaluation set.",
        )
    return decision


def _zero_one(evidence: EvidenceInput, info: TableInfo, column: str, values: list[Any], what: str) -> np.ndarray:
    """Distinct raw values as 0/1 by the same rule as everywhere (`predictions.binary`)."""
    missing = np.array([value is None for value in values])
    if not column:  # computed from the score, or no labels at all
        return np.array([np.nan if value is None else float(value) for value in values])
    kind = info.kind(column)
    table = Table(info)
    if kind in tables.NUMERIC:
        table[column] = np.array([np.nan if value is None else float(value) for value in values])
        if kind == "integer" and not missing.any():
            table[column] = table[column].astype(np.int64)
    else:
        table[column] = np.array(values, dtype=object)
    table.missing[column] = missing
    return np.asarray(reader.binary(evidence, table, column, what), dtype=np.float64)
