"""Rollback: target and schema from the facts, decision flips from two prediction files joined on their row key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, MeasuredFact, Picture
from gates.metrics import rollback_join_impl as joining
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
    sides, sensitive = _sides(candidate, baseline, threshold), _sensitive(candidate)
    needed = {"candidate": _columns(candidate, sensitive), "champion": _columns(baseline)}
    with tables.connect({"candidate": candidate, "champion": baseline}, only=needed) as connection:
        joining.unique(connection, *sides)
        first, second = (joining.as_they_are(connection, side) for side in sides)
        joined = joining.join(connection, first, second, sensitive)
    counts = _count(joined, sides)
    if not counts.rows:
        raise EvidenceProblem(
            file=baseline.name,
            column=joining.key_of(baseline),
            expected=f"row keys that occur in {candidate.name}",
            found="none in common",
            way_out="Score the same evaluation rows with both versions and keep the row key.",
        )
    segments, moves = list(_segments(joined)), joined.moves
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
    notes += [f"Flips by {column} were not counted: it has more than {joining.LEVELS:,} values." for column in joined.too_many]
    fact = MeasuredFact(
        "rollout.flip_rate", rate.value, rate.low, rate.high, locator=f"{counts.flipped:,} of {counts.rows:,} decisions"
    )
    return Collected(tuple(measures), (fact,), tuple(pictures), tuple(notes))


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
            return f"CASE WHEN {quote_name(column)} IN (0, 1) THEN {quote_name(column)}::TINYINT END"
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


def _sides(candidate: EvidenceInput, baseline: EvidenceInput, threshold: object) -> tuple[joining.Side, joining.Side]:
    label, kinds = (
        candidate.columns.get("label"),
        {tables.inspect(item).kind(joining.key_of(item)) for item in (candidate, baseline)},
    )
    truth = "NULL::TINYINT"
    if isinstance(label, str) and label in tables.inspect(candidate).names:
        plain = tables.inspect(candidate).kind(label) in tables.NUMERIC
        number = f"CAST({quote_name(label)} AS DOUBLE)" if plain else f"TRY_CAST(CAST({quote_name(label)} AS VARCHAR) AS DOUBLE)"
        truth = f"CASE {number} WHEN 0 THEN 0::TINYINT WHEN 1 THEN 1::TINYINT END"

    def key(evidence: EvidenceInput) -> str:
        name = quote_name(joining.key_of(evidence))
        return f"CAST({name} AS VARCHAR)" if len(kinds) > 1 else name

    return (
        joining.Side(
            candidate,
            "candidate",
            key(candidate),
            _decision(candidate, threshold),
            _score(candidate),
            truth,
            _whole(candidate, decision="prediction", truth="label"),
        ),
        joining.Side(
            baseline,
            "champion",
            key(baseline),
            _decision(baseline, threshold),
            _score(baseline),
            whole=_whole(baseline, decision="prediction"),
        ),
    )


def _whole(evidence: EvidenceInput, **roles: str) -> dict[str, str]:
    """Which of these are taken from a column of whole numbers, and from which."""
    info = tables.inspect(evidence)
    columns = {what: evidence.columns.get(role) for what, role in roles.items()}
    return {
        what: column
        for what, column in columns.items()
        if isinstance(column, str) and column in info.names and info.kind(column) == "integer"
    }


def _score(evidence: EvidenceInput) -> str:
    column, info = evidence.columns.get("score"), tables.inspect(evidence)
    known = isinstance(column, str) and column in info.names and info.kind(column) in tables.NUMERIC
    return f"{quote_name(str(column))}::DOUBLE" if known else "NULL::DOUBLE"


def _columns(evidence: EvidenceInput, more: Iterable[str] = ()) -> list[str]:
    """The columns of a file that are looked at: what is mapped and there."""
    there = tables.inspect(evidence).names
    mapped = (evidence.columns.get(role) for role in ("id", "prediction", "score", "label"))
    return [*(name for name in mapped if isinstance(name, str) and name in there), *more]


def _sensitive(evidence: EvidenceInput) -> list[str]:
    named = evidence.columns.get("sensitive") or ()
    columns = [named] if isinstance(named, str) else [str(column) for column in named]
    tables.require(evidence, tables.inspect(evidence), columns)
    return columns


def _count(joined: joining.Joined, sides: tuple[joining.Side, joining.Side]) -> Flips:
    candidate, champion = sides
    odd = sum(count for (before, now, _), count in joined.cells.items() if before is None or now is None)
    if odd:
        raise EvidenceProblem(
            file=candidate.evidence.name,
            column=str(candidate.evidence.columns.get("prediction") or candidate.evidence.columns.get("score")),
            expected="0 or 1 in every row of both files",
            found=f"{odd:,} rows with something else",
            way_out="Write the decision as 0 or 1 and leave none empty.",
        )
    both: dict[tuple[int, int], int] = {}
    better = worse = 0
    labelled = bool(joined.cells) and all(truth is not None for _, _, truth in joined.cells)
    for (before, now, truth), count in joined.cells.items():
        if before is None or now is None:
            continue
        both[(before, now)] = both.get((before, now), 0) + count
        if labelled and before != now:
            better, worse = better + count * (now == truth), worse + count * (before == truth)
    return Flips(
        joined.matched,
        both,
        better if labelled else None,
        worse if labelled else None,
        (candidate.rows - joined.matched, champion.rows - joined.matched),
    )


def _segments(joined: joining.Joined) -> Iterable[tuple[str, int, int]]:
    """Flips by each sensitive column: (group, flipped, rows), the largest groups, in order of the group."""
    for column, counted in joined.groups.items():
        rows: dict[str, list[int]] = {}
        for (value, flipped), count in counted.items():
            both = rows.setdefault(value, [0, 0])
            both[0] += count if flipped else 0
            both[1] += count
        largest = sorted(rows.items(), key=lambda item: (-item[1][1], item[0]))[:LEVELS]
        for value, (flipped_rows, total) in sorted(largest):
            yield f"{column}={value}", flipped_rows, total
