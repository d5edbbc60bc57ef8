"""SQL of mapped columns, for collectors that count before they measure: who belongs to which group, what counts as 1, which
numbers are fit. Used on the views of `tables.connect`, so no query reaches anything but the evidence.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import duckdb
import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import predictions as reader
from gates.readers import tables
from gates.readers.tables import Table, TableInfo, quote_name

UNKNOWN = "unknown"


def group_sql(name: str, kind: str, edges: Sequence[float] | None = None) -> str:
    """SQL of the group a row belongs to; missing and blank values are the group “unknown”. `name`: a quoted column of `kind`."""
    if edges and kind in tables.NUMERIC:
        marks = sorted(float(edge) for edge in edges)
        labels = [
            f"below {marks[0]:g}",
            *(f"{a:g} to below {b:g}" for a, b in itertools.pairwise(marks)),
            f"{marks[-1]:g} and over",
        ]
        cases = " ".join(f"WHEN {name} < {edge!r} THEN '{label}'" for edge, label in zip(marks, labels, strict=False))
        return f"CASE WHEN {name} IS NULL OR isnan(CAST({name} AS DOUBLE)) THEN '{UNKNOWN}' {cases} ELSE '{labels[-1]}' END"
    if kind == "number":
        whole = f"CAST(CAST({name} AS BIGINT) AS VARCHAR)"
        return (
            f"CASE WHEN {name} IS NULL OR isnan({name}) THEN '{UNKNOWN}' "
            f"WHEN abs({name}) < 1e15 AND {name} = floor({name}) THEN {whole} ELSE CAST({name} AS VARCHAR) END"
        )
    text = f"CAST({name} AS VARCHAR)"
    return f"CASE WHEN {name} IS NULL OR trim({text}) = '' THEN '{UNKNOWN}' ELSE {text} END"


def binary_sql(
    connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput, info: TableInfo, column: str, what: str
) -> str:
    """SQL of 0, 1 or NULL for a label or decision column, by the same rule as everywhere (`predictions.binary`).

    Raises EvidenceProblem where the column is not binary. The SQL names the column without its view.
    """
    table = levels_table(connection, view, info, column)
    known = ~table.missing[column]
    marks = reader.binary(evidence, table, column, what)
    numeric = info.kind(column) in tables.NUMERIC
    name = f"CAST({quote_name(column)} AS DOUBLE)" if numeric else quote_name(column)
    cases = [
        f"WHEN {name} = {_literal(value, numeric)} THEN {int(mark)}.0"
        for value, mark, there in zip(table[column], marks, known, strict=True)
        if there and not np.isnan(mark)
    ]
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS DOUBLE)"


def _literal(value: object, numeric: bool) -> str:
    return repr(float(value)) if numeric else "'" + str(value).replace("'", "''") + "'"  # type: ignore[arg-type]


def levels_table(connection: duckdb.DuckDBPyConnection, view: str, info: TableInfo, column: str) -> Table:
    """The different values of a column (a hundred at most) as a table, for the checks made for whole columns."""
    rows = connection.execute(f"SELECT DISTINCT {quote_name(column)} FROM {view} LIMIT 100").fetchall()
    table = Table(info)
    missing = np.array([row[0] is None for row in rows], dtype=bool)
    if info.kind(column) in tables.NUMERIC:
        table[column] = np.array([np.nan if row[0] is None else float(row[0]) for row in rows])
    else:
        table[column] = np.array([row[0] for row in rows], dtype=object)
    table.missing[column] = missing
    return table


def check_numbers(
    connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput, info: TableInfo, column: str, role: str
) -> None:
    """Raise EvidenceProblem unless the column holds scores from 0 to 1 (`role` score) or weights of zero or more (`weight`)."""
    if info.kind(column) not in tables.NUMERIC:
        tables.numbers(evidence, tables.load(evidence, [column]), column)
    value = f"CAST({quote_name(column)} AS DOUBLE)"
    rule = f"NOT isfinite({value})" + (f" OR {value} < 0 OR {value} > 1" if role == "score" else f" OR {value} < 0")
    bad = scalar(connection, f"SELECT count(*) FROM {view} WHERE {value} IS NULL OR {rule}")
    if bad:
        expected = "scores from 0 to 1 in every row" if role == "score" else "finite weights of zero or more"
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected=expected,
            found=f"{bad:,} of {info.rows:,} rows missing, NaN, infinite or outside",
            way_out="Mend or remove these rows, and say so in the description of the evaluation set.",
        )


def levels_up_to(connection: duckdb.DuckDBPyConnection, view: str, column: str, most: int) -> int:
    """How many different values a column has, counted to `most` + 2 and no further."""
    return scalar(connection, f"SELECT count(*) FROM (SELECT DISTINCT {quote_name(column)} FROM {view} LIMIT {most + 2})")


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number a query gives."""
    return int(connection.execute(query).fetchall()[0][0])
