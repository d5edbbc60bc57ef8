"""Rollback: target and schema from the facts, decision flips from two prediction files joined on their row key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, MeasuredFact, Picture
from gates.metrics import rollback_target_impl as target
from gates.metrics.rollback_pictures_impl import flips_picture, moves_picture, segments_picture
from gates.metrics.statistics.intervals import wilson
from gates.metrics.statistics.paired import mcnemar
from gates.readers import tables
from gates.readers.tables import quote_name
from gates.spec import Measure

MIN_SEGMENT = 30
LEVELS = 50


@dataclass(frozen=True)
class Flips:
    """Counts of joined rows by (champion decision, candidate decision): `both[(0, 1)]` became positive."""

    rows: int
    both: dict[tuple[int, int], int]
    better: int | None
    worse: int | None
    unmatched: tuple[int, int]

    @property
    def flipped(self) -> int:
        return self.both.get((0, 1), 0) + self.both.get((1, 0), 0)


def measure(inputs: Inputs) -> Collected:
    """Measures, the fact `rollout.flip_rate`, and the pictures of flips by decision and segment."""
    measures = list(target.measures(inputs))
    candidate, baseline = inputs.evidence.get("candidate_predictions"), inputs.evidence.get("baseline_predictions")
    if candidate is None or baseline is None:
        if target.nothing_before(inputs):
            measures.append(Measure("rollback.no_champion", 1.0, text="There is no earlier version whose decisions could flip."))
        else:
            missing = " and ".join(
                name for name, item in (("candidate predictions", candidate), ("baseline predictions", baseline)) if item is None
            )
            measures.append(
                Measure("rollback.flip_rate", None, reason=f"Decision flips need both prediction files; missing: {missing}.")
            )
        return Collected(measures=tuple(measures))
    if candidate.sha256 and candidate.sha256 == baseline.sha256:
        reason = f"{candidate.name} and {baseline.name} are the same file: attach the champion's own predictions."
        return Collected(measures=(*measures, Measure("rollback.flip_rate", None, reason=reason)))
    return _flips(inputs, candidate, baseline, measures)


def _flips(inputs: Inputs, candidate: EvidenceInput, baseline: EvidenceInput, measures: list[Measure]) -> Collected:
    threshold = inputs.facts.get("model.decision_threshold")
    with tables.connect({"candidate": candidate, "champion": baseline}) as connection:
        _unique(connection, "candidate", candidate)
        _unique(connection, "champion", baseline)
        _join(connection, candidate, baseline, threshold)
        counts = _count(connection, candidate)
        if not counts.rows:
            raise EvidenceProblem(
                file=baseline.name,
                column=_key(baseline),
                expected=f"row keys that occur in {candidate.name}",
                found="none in common",
                way_out="Score the same evaluation rows with both versions and keep the row key.",
            )
        segments = list(_segments(connection, candidate))
        moves = _moves(connection)
    rate = wilson(counts.flipped, counts.rows)
    up, down = counts.both.get((0, 1), 0), counts.both.get((1, 0), 0)
    test = mcnemar(up, down)
    measures += [
        Measure(
            "rollback.flip_rate",
            rate.value,
            low=rate.low,
            high=rate.high,
            n=counts.rows,
            detail={"level": 0.95, "flipped": counts.flipped},
        ),
        Measure("rollback.flips_up", float(up), n=counts.rows, text="0 to 1"),
        Measure("rollback.flips_down", float(down), n=counts.rows, text="1 to 0"),
        Measure(
            "rollback.mcnemar_p", test.p_exact if up + down < 25 else test.p, n=counts.rows, detail={"statistic": test.statistic}
        ),
    ]
    if counts.worse is not None and counts.better is not None:
        negative = wilson(counts.worse, counts.rows)
        measures.append(
            Measure(
                "rollback.negative_flip_rate",
                negative.value,
                low=negative.low,
                high=negative.high,
                n=counts.rows,
                text=f"{counts.worse:,} rows were right before and are wrong now; {counts.better:,} the other way round",
            )
        )
    for group, flipped, rows in segments:
        if rows < MIN_SEGMENT:
            measures.append(Measure("rollback.segment_flip_rate", None, group=group, n=rows, reason=f"only {rows} rows"))
            continue
        part = wilson(flipped, rows)
        measures.append(Measure("rollback.segment_flip_rate", part.value, group=group, low=part.low, high=part.high, n=rows))
    pictures: list[Picture] = [flips_picture(counts.both, counts.rows)]
    shown = [row for row in segments if row[2] >= MIN_SEGMENT]
    if shown:
        pictures.append(segments_picture(shown, rate.value))
    if moves:
        pictures.append(moves_picture(moves))
    notes = []
    if any(counts.unmatched):
        notes.append(
            f"Left out: {counts.unmatched[0]:,} rows only in {candidate.name}, {counts.unmatched[1]:,} only in {baseline.name}."
        )
    fact = MeasuredFact(
        "rollout.flip_rate", rate.value, rate.low, rate.high, locator=f"{counts.flipped:,} of {counts.rows:,} decisions"
    )
    return Collected(tuple(measures), (fact,), tuple(pictures), tuple(notes))


def _key(evidence: EvidenceInput) -> str:
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


def _unique(connection: duckdb.DuckDBPyConnection, view: str, evidence: EvidenceInput) -> None:
    key = quote_name(_key(evidence))
    row = connection.execute(f"SELECT count(*) - count({key}), count({key}) - count(DISTINCT {key}) FROM {view}").fetchone()
    empty, doubled = row or (0, 0)
    if empty or doubled:
        raise EvidenceProblem(
            file=evidence.name,
            column=_key(evidence),
            expected="every row key once",
            found=f"{doubled:,} doubled and {empty:,} empty",
            way_out="Keep one row per case.",
        )


def _decision(evidence: EvidenceInput, threshold: object) -> str:
    """SQL for the 0/1 decision of a row: the prediction column, else the score against the declared threshold."""
    info = tables.inspect(evidence)
    for role in ("prediction", "score"):
        column = evidence.columns.get(role)
        if not isinstance(column, str):
            continue
        tables.require(evidence, info, [column])
        if info.kind(column) not in tables.NUMERIC:
            raise EvidenceProblem(
                file=evidence.name,
                column=column,
                expected="decisions as 0 and 1",
                found=info.kind(column),
                way_out="Write 1 for the positive decision.",
            )
        if role == "prediction":
            return f"CASE WHEN {quote_name(column)}::DOUBLE IN (0, 1) THEN {quote_name(column)}::INTEGER END"
        if isinstance(threshold, int | float) and not isinstance(threshold, bool):
            return (
                f"CASE WHEN isfinite({quote_name(column)}::DOUBLE) THEN ({quote_name(column)}::DOUBLE >= "
                f"{float(threshold)!r})::INTEGER END"
            )
    raise EvidenceProblem(
        file=evidence.name,
        expected="a decision per row",
        found="neither columns.prediction nor a score with a declared threshold",
        way_out="Map columns.prediction, or columns.score together with model.decision_threshold.",
    )


def _join(connection: duckdb.DuckDBPyConnection, candidate: EvidenceInput, baseline: EvidenceInput, threshold: object) -> None:
    """One joined table with everything the later questions need: decisions, label, scores, and the sensitive columns as s0,
    s1, …
    """
    label = candidate.columns.get("label")
    truth = quote_name(label) if isinstance(label, str) and label in tables.inspect(candidate).names else "NULL"
    kinds = {tables.inspect(item).kind(_key(item)) for item in (candidate, baseline)}
    ours, theirs = (
        f"CAST({quote_name(_key(item))} AS VARCHAR)" if len(kinds) > 1 else quote_name(_key(item))
        for item in (candidate, baseline)
    )
    sensitive = "".join(f", CAST({quote_name(column)} AS VARCHAR) AS s{at}" for at, column in enumerate(_sensitive(candidate)))
    connection.execute(
        "CREATE TEMP TABLE joined AS SELECT a.*, b.before, b.score_before, (a.k IS NULL) AS only_before, (b.k "
        "IS NULL) AS only_now FROM "
        f"(SELECT {ours} AS k, {_decision(candidate, threshold)} AS now, CAST({truth} AS VARCHAR) AS truth, "
        f"{_score(candidate)} AS score_now{sensitive} FROM candidate) AS a "
        f"FULL JOIN (SELECT {theirs} AS k, {_decision(baseline, threshold)} AS before, {_score(baseline)} AS "
        "score_before FROM champion) AS b ON a.k = b.k"
    )


def _score(evidence: EvidenceInput) -> str:
    column, info = evidence.columns.get("score"), tables.inspect(evidence)
    known = isinstance(column, str) and column in info.names and info.kind(column) in tables.NUMERIC
    return f"{quote_name(str(column))}::DOUBLE" if known else "NULL::DOUBLE"


def _sensitive(evidence: EvidenceInput) -> list[str]:
    named = evidence.columns.get("sensitive") or ()
    columns = [named] if isinstance(named, str) else [str(column) for column in named]
    tables.require(evidence, tables.inspect(evidence), columns)
    return columns


def _count(connection: duckdb.DuckDBPyConnection, candidate: EvidenceInput) -> Flips:
    rows = connection.execute(
        "SELECT before, now, TRY_CAST(truth AS DOUBLE), count(*) FROM joined WHERE NOT only_before AND NOT only_now GROUP BY ALL"
    ).fetchall()
    odd = sum(count for before, now, _, count in rows if before is None or now is None)
    if odd:
        raise EvidenceProblem(
            file=candidate.name,
            column=str(candidate.columns.get("prediction") or candidate.columns.get("score")),
            expected="0 or 1 in every row of both files",
            found=f"{odd:,} rows with something else",
            way_out="Write the decision as 0 or 1 and leave none empty.",
        )
    both: dict[tuple[int, int], int] = {}
    better = worse = 0
    labelled = bool(rows) and all(truth in (0.0, 1.0) for _, _, truth, _ in rows)
    for before, now, truth, count in rows:
        both[(before, now)] = both.get((before, now), 0) + count
        if labelled and before != now:
            better, worse = better + count * (now == truth), worse + count * (before == truth)
    unmatched = connection.execute(
        "SELECT count(*) FILTER (WHERE only_now), count(*) FILTER (WHERE only_before) FROM joined"
    ).fetchone() or (0, 0)
    return Flips(
        sum(both.values()),
        both,
        better if labelled else None,
        worse if labelled else None,
        (int(unmatched[0]), int(unmatched[1])),
    )


def _segments(connection: duckdb.DuckDBPyConnection, candidate: EvidenceInput) -> Iterable[tuple[str, int, int]]:
    """Flips by each sensitive column: (group, flipped, rows), in order of the group."""
    for at, column in enumerate(_sensitive(candidate)):
        rows = connection.execute(
            f"SELECT coalesce(s{at}, 'unknown'), count(*) FILTER (WHERE now <> before), count(*) FROM joined "
            f"WHERE NOT only_before AND NOT only_now GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {LEVELS}"
        ).fetchall()
        for group, flipped, total in sorted(rows):
            yield f"{column}={group}", int(flipped), int(total)


def _moves(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, float, float]]:
    """The ten rows whose score moved most: (row key, champion's score, candidate's score)."""
    rows = connection.execute(
        "SELECT CAST(k AS VARCHAR), score_before, score_now FROM joined WHERE NOT only_before AND NOT "
        "only_now AND isfinite(score_before) "
        "AND isfinite(score_now) ORDER BY abs(score_now - score_before) DESC, 1 LIMIT 10"
    ).fetchall()
    return [(str(key)[:60], float(before), float(now)) for key, before, now in rows]
