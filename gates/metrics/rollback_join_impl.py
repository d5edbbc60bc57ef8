"""Two prediction files joined on their row key, in bounded memory: only small counts leave the join.

The keys are split by their hash into parts small enough for the memory DuckDB may use, and every part is joined by itself,
so nothing is written to disk and ten million rows against ten million take about as long as the bare join.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import duckdb

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import keys, tables
from gates.readers.tables import quote_name

CELLS = 20_000
LEVELS = 1_000
MOVES = 10


@dataclass(frozen=True)
class Side:
    """One file in the connection: its view, and SQL for key, decision, score (NULL without one) and truth (NULL, 0 or 1)."""

    evidence: EvidenceInput
    view: str
    key: str
    decision: str
    score: str = "NULL::DOUBLE"
    truth: str = "NULL::TINYINT"
    whole: Mapping[str, str] = field(default_factory=dict)
    """`decision` and `truth` where they are taken from a column of whole numbers, with that column's name."""

    @property
    def rows(self) -> int:
        return tables.inspect(self.evidence).rows


@dataclass
class Joined:
    """What the join said. `cells`: rows by (champion decision, candidate decision, truth); `groups`: per sensitive column,
    rows by (value, whether the decision flipped); `moves`: key, champion's score, candidate's score; `matched`: rows in both.
    """

    matched: int = 0
    cells: Counter[tuple[int | None, int | None, int | None]] = field(default_factory=Counter)
    groups: dict[str, Counter[tuple[str, bool]]] = field(default_factory=dict)
    moves: list[tuple[str, float, float]] = field(default_factory=list)
    too_many: list[str] = field(default_factory=list)


def key_of(evidence: EvidenceInput) -> str:
    """The column mapped as `id`; EvidenceProblem when there is none."""
    key = evidence.columns.get("id")
    if not isinstance(key, str) or not key:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a row key",
            found="no columns.id in the mapping",
            way_out="Name the column that identifies a row; files are never joined by position.",
        )
    tables.require(evidence, tables.inspect(evidence), [key])
    return key


def as_they_are(connection: duckdb.DuckDBPyConnection, side: Side) -> Side:
    """The side with its columns of nothing but 0 and 1 taken as they are: looking at each value costs a quarter of the join.

    The least and the largest value stand in a Parquet file's footer.
    """
    plain = {"decision": side.decision, "truth": side.truth}
    for what, column in side.whole.items():
        name = quote_name(column)
        least, most = connection.execute(f"SELECT min({name}), max({name}) FROM {side.view}").fetchall()[0]
        if least is not None and least >= 0 and most <= 1:
            plain[what] = f"{name}::TINYINT"
    return replace(side, decision=plain["decision"], truth=plain["truth"])


def unique(connection: duckdb.DuckDBPyConnection, *sides: Side) -> None:
    """EvidenceProblem unless every row has a key of its own, in each file. The files are looked at side by side."""
    with ThreadPoolExecutor(len(sides)) as pool:
        for checked in [pool.submit(_unique, connection.cursor(), side.view, side.evidence) for side in sides]:
            checked.result()


def _unique(connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput) -> None:
    """EvidenceProblem unless every row has a key of its own."""
    column = key_of(evidence)
    empty, doubled = keys.missing_and_doubled(connection, view, column, tables.inspect(evidence).kind(column))
    if empty or doubled:
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="every row key once",
            found=f"{doubled:,} doubled and {empty:,} empty",
            way_out="Keep one row per case.",
        )


def join(connection: duckdb.DuckDBPyConnection, candidate: Side, champion: Side, sensitive: Sequence[str]) -> Joined:
    """Join on the key and count. `sensitive`: columns of the candidate's file to count by. Keys must be unique."""
    kinds = {tables.inspect(side.evidence).kind(key_of(side.evidence)) for side in (candidate, champion)}
    parts = keys.parts_for(max(candidate.rows, champion.rows), whole=kinds == {"integer"})
    while True:
        try:
            return _join(connection, candidate, champion, sensitive, parts)
        except duckdb.OutOfMemoryException as error:
            parts *= 4
            if parts > keys.MOST_PARTS:
                raise EvidenceProblem(
                    file=candidate.evidence.name,
                    column=key_of(candidate.evidence),
                    expected="row keys short enough to be matched in memory",
                    found="longer ones",
                    way_out="Use the shortest key that identifies a case, such as a number.",
                ) from error


def _join(connection: duckdb.DuckDBPyConnection, candidate: Side, champion: Side, sensitive: Sequence[str], parts: int) -> Joined:
    out = Joined()
    moves: list[tuple[float, str, float, float]] = []
    scored = "NULL" not in candidate.score and "NULL" not in champion.score
    for at, columns in enumerate(_packed(connection, candidate, sensitive, out)):
        first = at == 0
        for part in range(parts):
            for row in _counted(connection, candidate, champion, columns, part, parts, with_moves=scored and first):
                *values, before, now, truth, count, best = row
                flipped = before != now
                for column, value in zip(columns, values, strict=True):
                    out.groups.setdefault(column, Counter())[("unknown" if value is None else value, flipped)] += count
                if not first:
                    continue
                out.matched += count
                out.cells[(before, now, truth)] += count
                found = [(abs(n - b), str(k), float(b), float(n)) for k, b, n in best or ()]
                moves = _largest(moves + found, MOVES + 1)
    if len(moves) > MOVES and moves[MOVES - 1][0] == moves[MOVES][0]:
        # equal moves at the edge: which ten are shown must not depend on the order of work
        moves = _exact_moves(connection, candidate, champion, parts, moves[-1][0])
    out.moves = [(key[:60], before, now) for _, key, before, now in moves[:MOVES]]
    return out


def _counted(
    connection: duckdb.DuckDBPyConnection,
    candidate: Side,
    champion: Side,
    columns: Sequence[str],
    part: int,
    parts: int,
    *,
    with_moves: bool,
) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Cells of one part, each with its largest moves."""
    names = [f"s{at}" for at in range(len(columns))]
    groups = "".join(f", CAST({quote_name(column)} AS VARCHAR) AS {name}" for column, name in zip(columns, names, strict=True))
    best = "NULL"
    if with_moves:
        best = (
            f"max_by(struct_pack(k := a.k, b := b.score, n := a.score), abs(a.score - b.score), {MOVES + 1}) "
            "FILTER (WHERE isfinite(a.score - b.score))"
        )
    chosen = ", ".join([*names, "b.decision AS before", "a.decision AS now", "a.truth"])
    extra = f", {candidate.truth} AS truth, {candidate.score} AS score{groups}"
    rows = connection.execute(
        f"SELECT {chosen}, count(*), {best} FROM {_part(candidate, part, parts, extra)} AS a "
        f"JOIN {_part(champion, part, parts, f', {champion.score} AS score')} AS b ON a.k = b.k GROUP BY ALL"
    ).fetchall()
    for row in rows:
        yield (*row[:-1], [(move["k"], move["b"], move["n"]) for move in row[-1] or ()])


def _part(side: Side, part: int, parts: int, extra: str) -> str:
    decision = f"({side.decision})::TINYINT AS decision"
    return f"(SELECT {side.key} AS k, {decision}{extra} FROM {side.view} WHERE {keys.in_part(side.key, part, parts)})"


def _exact_moves(
    connection: duckdb.DuckDBPyConnection, candidate: Side, champion: Side, parts: int, least: float
) -> list[tuple[float, str, float, float]]:
    """The largest moves with ties in the order of their keys."""
    found: list[tuple[float, str, float, float]] = []
    for part in range(parts):
        rows = connection.execute(
            f"SELECT abs(a.score - b.score), CAST(a.k AS VARCHAR), b.score, a.score "
            f"FROM {_part(candidate, part, parts, f', {candidate.score} AS score')} AS a "
            f"JOIN {_part(champion, part, parts, f', {champion.score} AS score')} AS b ON a.k = b.k "
            f"WHERE isfinite(a.score - b.score) AND abs(a.score - b.score) >= {least!r} "
            f"ORDER BY 1 DESC, 2 LIMIT {MOVES}"
        ).fetchall()
        found += [(float(d), str(k), float(b), float(n)) for d, k, b, n in rows]
    return _largest(found, MOVES)


def _largest(moves: list[tuple[float, str, float, float]], most: int) -> list[tuple[float, str, float, float]]:
    return heapq.nsmallest(most, moves, key=lambda move: (-move[0], move[1]))


def _packed(
    connection: duckdb.DuckDBPyConnection, side: Side, sensitive: Sequence[str], out: Joined
) -> Iterator[tuple[str, ...]]:
    """The sensitive columns in packs that are counted in one join, so that no join holds more than `CELLS` cells."""
    pack: list[str] = []
    cells = 1
    packs: list[tuple[str, ...]] = []
    for column in sensitive:
        name = quote_name(column)
        levels = _scalar(connection, f"SELECT count(*) FROM (SELECT DISTINCT {name} FROM {side.view} LIMIT {LEVELS + 2})")
        if levels > LEVELS + 1:
            out.too_many.append(column)
            continue
        if pack and cells * (levels + 1) > CELLS:
            packs.append(tuple(pack))
            pack, cells = [], 1
        pack.append(column)
        cells *= levels + 1
    yield from itertools.chain(packs, [tuple(pack)])


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
