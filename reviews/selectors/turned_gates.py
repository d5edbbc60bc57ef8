"""Gates of past submissions judged again on their stored measurements: which would turn under other limits or moved figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from django.db.models import Max

from gates.models import GateOutcome, GateRun, Measurement
from gates.registry import gates as all_gates
from gates.selectors.measured import why_not_measured
from gates.services.judging import verdict_of
from gates.spec import Measure, Measured
from governance.domain.vocabulary import RunStatus, Track
from governance.models import Submission
from governance.policy import Pack
from governance.policy.backtesting import shift_of
from governance.policy.gate_use import GateUse

MOST = 2_000
"""Gates are judged again on the newest submissions only: each has hundreds of measurements."""


def gates_to_judge(before: Pack, after: Pack, shifts: Mapping[str, float]) -> tuple[GateUse, ...]:
    """Gates that can turn: asked for otherwise, or resting on a moved figure."""
    old, known = {use.gate: use for use in before.gates}, all_gates()
    return tuple(
        use
        for use in after.gates
        if (was := old.get(use.gate)) is None
        or _judging(was) != _judging(use)
        or any(fnmatchcase(need, pattern) for need in (known[use.gate].needs if use.gate in known else ()) for pattern in shifts)
    )


def _judging(use: GateUse) -> dict[str, Any]:
    found: dict[str, Any] = use.model_dump(mode="json", include={"limits", "limits_by_track", "limits_by_domain", "tracks"})
    return found


def turned(before: Pack, after: Pack, shifts: Mapping[str, float], submissions: Sequence[int]) -> dict[str, Any]:
    """`{judged, turns: [{gate, before, after, count, blocking}]}` over the newest of these submissions that were measured."""
    uses = gates_to_judge(before, after, shifts)
    if not uses:
        return {"judged": 0, "turns": []}
    chosen = sorted(submissions)[-MOST:]
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    judged = 0
    for start in range(0, len(chosen), 200):
        for row, was, measured, statuses in _measured(chosen[start : start + 200]):
            judged += 1
            track = Track(row.track)
            for use in uses:
                if track not in use.tracks:
                    continue
                _, result = verdict_of(
                    use, after.gate_kind, use.limits_for(track), _moved(measured, shifts), statuses, pinned=False
                )
                earlier = was.get(use.gate, "not asked for")
                if result.verdict.value != earlier:
                    counts[use.gate, earlier, result.verdict.value, use.blocks(track)] += 1
    turns = [
        {"gate": gate, "before": a, "after": b, "blocking": blocking, "count": count}
        for (gate, a, b, blocking), count in counts.most_common()
    ]
    return {"judged": judged, "turns": turns}


def _measured(ids: Sequence[int]) -> Iterable[tuple[Submission, dict[str, str], Measured, dict[str, str]]]:
    rows = {row.pk: row for row in Submission.objects.filter(pk__in=ids).only("pk", "revision", "track", "kind")}
    rounds = dict(
        GateOutcome.objects.filter(submission__in=ids)
        .values_list("submission_id")
        .annotate(last=Max("pk"))
        .values_list("submission_id", "last")
    )
    last = {
        (pk, number, round_)
        for pk, number, round_ in GateOutcome.objects.filter(pk__in=rounds.values()).values_list(
            "submission_id", "revision", "round"
        )
    }
    verdicts: dict[int, dict[str, str]] = defaultdict(dict)
    for pk, number, round_, code, verdict in GateOutcome.objects.filter(submission__in=ids).values_list(
        "submission_id", "revision", "round", "code", "verdict"
    ):
        if (pk, number, round_) in last:
            verdicts[pk][code] = verdict
    runs: dict[int, list[GateRun]] = defaultdict(list)
    for run in GateRun.objects.filter(submission__in=ids, current=True).only(
        "submission_id", "revision", "collector", "status", "not_measured", "not_applicable", "error"
    ):
        if run.submission_id in rows and run.revision == rows[run.submission_id].revision:
            runs[run.submission_id].append(run)
    done = {run.pk: pk for pk, found in runs.items() for run in found if run.status == RunStatus.DONE}
    measures: dict[int, list[Measure]] = defaultdict(list)
    for m in Measurement.objects.filter(run__in=done).order_by("id"):
        measures[done[m.run_id]].append(Measure(m.metric, m.value, m.group, m.low, m.high, m.n, m.text, m.reason, m.detail))
    for pk, was in verdicts.items():
        if pk in runs:
            found = runs[pk]
            yield (
                rows[pk],
                was,
                Measured(
                    tuple(sorted(measures[pk], key=lambda measure: measure.group != "")),
                    not_measured={run.collector: why for run in found if (why := why_not_measured(run))},
                    not_applicable={
                        run.collector: run.not_applicable for run in found if run.status == RunStatus.DONE and run.not_applicable
                    },
                ),
                {run.collector: run.status for run in found},
            )


def _moved(measured: Measured, shifts: Mapping[str, float]) -> Measured:
    if not shifts:
        return measured

    def moved(measure: Measure) -> Measure:
        shift = shift_of(measure.metric, shifts)
        if not shift or measure.value is None:
            return measure
        low = measure.low + shift if measure.low is not None else None
        high = measure.high + shift if measure.high is not None else None
        return replace(measure, value=measure.value + shift, low=low, high=high)

    return Measured(tuple(map(moved, measured.rows)), measured.not_measured, measured.not_applicable)
