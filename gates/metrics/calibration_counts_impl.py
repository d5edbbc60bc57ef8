"""From a predictions file to sums per fine score bin, for everybody and for each group: one scan a question, in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.metrics.statistics.calibration import CLIP, PER_LOGIT, ScoreCounts
from gates.readers import counting, tables
from gates.readers import predictions as reader
from gates.readers.tables import TableInfo, quote_name

MAX_BINS = 2_000_000


@dataclass(frozen=True)
class Scored:
    """A predictions file ready to be counted by score. `label`, `score`, `weight`: SQL over the view `c`."""

    evidence: EvidenceInput
    info: TableInfo
    connection: duckdb.DuckDBPyConnection
    label: str
    score: str
    weight: str

    def by(self, group: str) -> Mapping[str, ScoreCounts]:
        """Sums per value of the SQL `group` (a text), rows without a label left out. Groups in order of their name."""
        clipped = f"least(greatest({self.score}, {CLIP!r}), {1 - CLIP!r})"
        inner = (
            f"SELECT {group} AS g, {self.label} AS y, {self.score} AS s, {self.weight} AS w, "
            f"CAST(floor(ln({clipped} / (1 - {clipped})) * {PER_LOGIT}) AS INTEGER) AS k FROM c"
        )
        query = (
            "SELECT g, k, count(*), sum(y), sum(w), sum(w * w), sum(w * y), sum(w * w * y), sum(w * s), sum(w * (s - y)), "
            "sum(w * w * (s - y)), sum(w * (s - y) ** 2), sum(w * w * (s - y) ** 2), sum(w * w * (s - y) ** 4) "
            f"FROM ({inner}) WHERE y IS NOT NULL GROUP BY g, k HAVING sum(w) > 0 ORDER BY g, k"
        )
        found = self.connection.execute(query).fetchnumpy()
        columns = list(found.values())
        if not len(columns[0]):
            return {}
        if len(columns[0]) > MAX_BINS:
            raise EvidenceProblem(
                file=self.evidence.name,
                expected=f"at most {MAX_BINS:,} combinations of group and score",
                found=f"{len(columns[0]):,}",
                way_out="Map fewer groups, or coarser ones.",
            )
        names = np.asarray(columns[0]).astype(str)
        numbers = [np.asarray(column, dtype=np.int64 if at == 0 else np.float64) for at, column in enumerate(columns[1:])]
        starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
        ends = np.r_[starts[1:], len(names)]
        return {
            str(names[start]): ScoreCounts(*(column[start:end] for column in numbers))
            for start, end in zip(starts, ends, strict=True)
        }

    def whole(self) -> ScoreCounts | None:
        """Sums over everybody with a label; None when nobody has one."""
        return self.by("''").get("")

    def group_of(self, column: str, bands: Sequence[float] | None = None) -> str:
        """SQL of the group a row belongs to by `column`."""
        return counting.group_sql(quote_name(column), self.info.kind(column), bands)

    def too_many(self, column: str, most: int) -> bool:
        """Whether the column has more than `most` different values."""
        return counting.levels_up_to(self.connection, "c", column, most) > most


def open_scored(evidence: EvidenceInput) -> Scored:
    """Check the mapped columns (`label` and `score` must be mapped) and connect. Raises EvidenceProblem with the way out."""
    info = tables.inspect(evidence)
    label, score, weight = (reader.column_of(evidence, role) for role in ("label", "score", "weight"))
    tables.require(evidence, info, [column for column in (label, score, weight) if column])
    connection = tables.connect({"c": evidence})
    counting.check_numbers(connection, "c", evidence, info, score, "score")
    if weight:
        counting.check_numbers(connection, "c", evidence, info, weight, "weight")
    return Scored(
        evidence,
        info,
        connection,
        counting.binary_sql(connection, "c", evidence, info, label, "label"),
        f"CAST({quote_name(score)} AS DOUBLE)",
        f"CAST({quote_name(weight)} AS DOUBLE)" if weight else "CAST(1 AS DOUBLE)",
    )
