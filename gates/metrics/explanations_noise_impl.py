"""How much the figures of a comparison move when nothing changed: the noise floor, measured by running again.

Two ways. (1) The champion is explained again and compared with itself: on other rows (another seed), which moves shares; with
another
background and seed where the method has one, which moves rows. (2) The team uploads attributions of retrains of the champion; the
most extreme retrain is what this model does by itself, and stands in for the default limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem, working_on
from gates.metrics import explanations_statistics_impl as statistics
from gates.metrics.explanations_models_impl import Explained
from gates.spec import Measure

REPEATS = 5
SECONDS = 40.0
JUDGED = ("max_share_change", "total_variation", "row_cosine_p10", "sign_flips")
FEWEST_RETRAINS, MOST_RETRAINS = 3, 30


def repeated(first: np.ndarray, again: Callable[[int], np.ndarray], what: str, *, same_rows: bool, took: float) -> list[Measure]:
    """The worst of up to five runs of the champion against itself. `again(number)`: its attributions in another run.

    `same_rows`: whether rows belong together, so that row figures have a meaning. `took`: seconds of the first run; as many runs
    are
    made as fit into 40 s, and the number is stated.
    """
    found: dict[str, list[float]] = {}
    began, runs = time.monotonic(), 0
    for number in range(1, REPEATS + 1):
        if time.monotonic() - began + took > SECONDS:
            break
        working_on("measuring the noise floor", number, REPEATS)
        other = again(number)
        runs += 1
        for name, value in _figures(first, other, same_rows).items():
            found.setdefault(name, []).append(value)
    if not runs:
        why = f"Another run would have taken {took:.0f} s; the noise floor is measured when five runs fit into {SECONDS:.0f} s."
        return [Measure(f"explanation.noise.{name}", None, reason=why) for name in JUDGED]
    return [
        Measure(
            f"explanation.noise.{name}", _worst(name, values), n=runs, text=what, detail={"runs": [round(v, 5) for v in values]}
        )
        for name, values in found.items()
    ]


def _figures(first: np.ndarray, other: np.ndarray, same_rows: bool) -> dict[str, float]:
    if same_rows:
        figures = statistics.compare(first, other)
        return {name: value for name in JUDGED if (value := figures[name]) is not None}
    change = np.abs(statistics.shares(first) - statistics.shares(other))
    return {"max_share_change": float(change.max()), "total_variation": float(change.sum() / 2)}


def _worst(name: str, values: Sequence[float]) -> float:
    return float(min(values) if name == "row_cosine_p10" else max(values))


def retrains(
    evidence: EvidenceInput, champion: Explained, read: Callable[[EvidenceInput, str], Mapping[str, Explained]]
) -> Iterable[Measure]:
    """The extremes over uploaded retrains of the champion, each compared with the champion on the rows both have.

    EvidenceProblem for fewer than three or more than thirty retrains, or rows the champion's matrix does not have.
    """
    named = evidence.columns.get("run")
    column = named if isinstance(named, str) else "run"
    runs = read(evidence, column)
    if not FEWEST_RETRAINS <= len(runs) <= MOST_RETRAINS:
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected=f"{FEWEST_RETRAINS} to {MOST_RETRAINS} retrains, told apart by this column",
            found=str(len(runs)),
            way_out=(
                "Retrain the champion 5 to 10 times with other seeds or bootstrap samples and put all attributions into one file."
            ),
        )
    found: dict[str, list[float]] = {name: [] for name in JUDGED}
    for name, run in sorted(runs.items()):
        ours, theirs = _paired(evidence, champion, run, name)
        figures = statistics.compare(ours, theirs)
        for figure, values in found.items():
            value = figures[figure]
            if value is not None:
                values.append(value)
    for figure, values in found.items():
        if values:
            yield Measure(
                f"explanation.retrains.{figure}",
                _worst(figure, values),
                n=len(values),
                text=f"{len(values)} retrains of the champion ({evidence.name})",
                detail={"runs": [round(value, 5) for value in values]},
            )


def _paired(evidence: EvidenceInput, champion: Explained, run: Explained, name: str) -> tuple[np.ndarray, np.ndarray]:
    assert champion.ids is not None and run.ids is not None
    shared, at, other = np.intersect1d(champion.ids, run.ids, return_indices=True)
    if len(shared) * 2 < len(run.ids):
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"the champion's rows in retrain {name}",
            found=f"{len(shared)} shared keys of {len(run.ids)}",
            way_out="Explain every retrain on the rows of baseline_attributions, with the same row keys.",
        )
    union = [*champion.names, *(feature for feature in run.names if feature not in champion.names)]
    return statistics.aligned(champion.names, champion.matrix, union)[at], statistics.aligned(run.names, run.matrix, union)[other]
