"""Rows that training and evaluation share: by the hash of their features, and by their key. Counted in DuckDB, in parts, so
that memory stays bounded.

Equal rows need not be the same case: with few coarse columns many cases look alike. How many is known from the training data
alone, where the share of rows that have a twin is what chance gives; only what goes beyond it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from gates.collecting import EvidenceInput
from gates.metrics.statistics.intervals import newcombe, wilson
from gates.readers import tables
from gates.readers.tables import quote_name

PART = 3_000_000
ALIKE = 0.5
FEWEST_COLUMNS = 3


@dataclass(frozen=True)
class Overlap:
    """Share of the evaluation rows found in training (beyond chance), or `reason` why it cannot be told."""

    file: str
    rows: int = 0
    matched: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None
    by_chance: float = 0.0
    says: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()


def by_row(training: EvidenceInput, evaluation: EvidenceInput, features: Sequence[str]) -> Overlap | None:
    """Compare the hashes of the features both files hold; None when they share fewer than three columns."""
    shared = _shared(training, evaluation, features)
    if len(shared) < FEWEST_COLUMNS:
        return None
    if training.sha256 and training.sha256 == evaluation.sha256:
        rows = tables.inspect(evaluation).rows
        return Overlap(evaluation.name, rows, rows, 1.0, 1.0, 1.0, says="the file is the training data")
    with tables.connect({"training": training, "evaluation": evaluation}) as connection:
        rows, matched, known, twins = _counted(connection, shared, max(tables.inspect(e).rows for e in (training, evaluation)))
    if not rows or not known:
        return None
    chance = twins / known
    if chance > ALIKE:
        return Overlap(
            evaluation.name, rows, matched, by_chance=chance,
            reason=f"{chance:.0%} of the training rows have a twin in these {len(shared)} columns, so equal rows prove nothing: "
            "map row keys (columns.id) in both files.",
        )  # fmt: skip
    if not twins:
        interval = wilson(matched, rows)
        return Overlap(evaluation.name, rows, matched, interval.value, interval.low, interval.high, 0.0, _words(matched, rows))
    found = newcombe(matched, rows, twins, known)
    share = max(0.0, found.value)
    says = f"{_words(matched, rows)}, of which chance explains {chance:.2%} of the rows"
    return Overlap(evaluation.name, rows, matched, share, min(share, max(0.0, found.low)), max(share, found.high), chance, says)


def by_key(training: EvidenceInput, evaluation: EvidenceInput) -> Overlap | None:
    """Compare the row keys; None when either file maps none.

    Keys that run without gaps in both files number rows, not cases, and say nothing.
    """
    first, second = training.columns.get("id"), evaluation.columns.get("id")
    if not (isinstance(first, str) and isinstance(second, str)):
        return None
    for evidence, name in ((training, first), (evaluation, second)):
        tables.require(evidence, tables.inspect(evidence), [name])
    with tables.connect({"training": training, "evaluation": evaluation}) as connection:
        most = max(tables.inspect(evidence).rows for evidence in (training, evaluation))
        rows, matched, _, _ = _counted(connection, [(first, second)], most, text=True, distinct=True)
        running = all(_runs(connection, view, name) for view, name in (("training", first), ("evaluation", second)))
    if not rows:
        return None
    if matched and running:
        return Overlap(
            evaluation.name, rows, matched,
            reason=f"its keys and those of {training.name} run without gaps: they seem to number rows, not cases. "
            "Map the key of the case (customer, application) instead.",
        )  # fmt: skip
    interval = wilson(matched, rows)
    return Overlap(
        evaluation.name, rows, matched, interval.value, interval.low, interval.high, 0.0, _words(matched, rows, "keys")
    )


def _words(matched: int, rows: int, what: str = "rows") -> str:
    return f"{matched:,} of {rows:,} evaluation {what} are in the training data"


def _shared(training: EvidenceInput, evaluation: EvidenceInput, features: Sequence[str]) -> list[tuple[str, str]]:
    first, second = tables.inspect(training), tables.inspect(evaluation)
    usable = [name for name in features if name in first.names and name in second.names]
    return [(name, name) for name in dict.fromkeys(usable) if "other" not in (first.kind(name), second.kind(name))]


def _counted(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[tuple[str, str]], most: int, *, text: bool = False,
    distinct: bool = False,
) -> tuple[int, int, int, int]:  # fmt: skip
    """(evaluation rows, those found in training, training rows, training rows with a twin), in parts by hash."""
    kinds = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE training)").fetchall())
    other = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE evaluation)").fetchall())
    left: list[str] = []
    right: list[str] = []
    for a, b in columns:
        as_text = text or "VARCHAR" in (kinds[a], other[b])
        for out, name, kind in ((left, a, kinds[a]), (right, b, other[b])):
            cell = quote_name(name)
            # -0.0 and 0.0, 1 and 1.0 are the same value however a file writes them
            plain = kind in ("TIMESTAMP", "VARCHAR") or as_text
            out.append(f"CAST({cell} AS VARCHAR)" if plain else f"(CAST({cell} AS DOUBLE) + 0.0)")
    parts = max(1, -(-most // PART))
    totals = [0, 0, 0, 0]
    keys = distinct and len(columns) == 1
    for part in range(parts):
        inside = f"h % {parts} = {part}"
        training = f"SELECT hash({', '.join(left)}) AS h FROM training" + (f" WHERE {left[0]} IS NOT NULL" if keys else "")
        evaluation = f"SELECT hash({', '.join(right)}) AS h FROM evaluation" + (f" WHERE {right[0]} IS NOT NULL" if keys else "")
        row = connection.execute(
            f"WITH t AS (SELECT h, count(*) AS n FROM ({training}) WHERE {inside} GROUP BY h), "
            f"e AS (SELECT h, {'1' if distinct else 'count(*)'} AS n FROM ({evaluation}) WHERE {inside} GROUP BY h) "
            "SELECT (SELECT coalesce(sum(n), 0) FROM e), (SELECT coalesce(sum(e.n), 0) FROM e JOIN t USING (h)), "
            "(SELECT coalesce(sum(n), 0) FROM t), (SELECT coalesce(sum(n), 0) FROM t WHERE n > 1)"
        ).fetchone()
        if row is not None:
            totals = [have + int(more) for have, more in zip(totals, row, strict=True)]
    return totals[0], totals[1], totals[2], totals[3]


def _runs(connection: duckdb.DuckDBPyConnection, view: str, name: str) -> bool:
    """Whole numbers that fill their range without a gap."""
    cell = f"TRY_CAST({quote_name(name)} AS BIGINT)"
    row = connection.execute(
        f"SELECT count(*), count({cell}), count(DISTINCT {cell}), min({cell}), max({cell}) FROM {view}"
    ).fetchone()
    if row is None or not row[0] or row[1] != row[0]:
        return False
    return int(row[4]) - int(row[3]) + 1 == int(row[2])
