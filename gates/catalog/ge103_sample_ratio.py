"""A split that is not the planned one (GE103)

## What it checks
Once the test runs: the units counted in each arm (`observed` in the experiment's document) against the planned allocation, by
Pearson's chi-square test (sample ratio mismatch).

## Why it matters
When the arms are not as large as planned, something decides who is counted: a redirect that loses people, a filter that works
differently in one arm, a bot. Whoever is missing is not missing by chance, so the result compares different people. 821,588
against 815,482 looks like half and half and has a probability of 0.0000018: the test was broken.

## What good enough looks like
- **Passes** with p of 0.001 or more. At that limit 0.1 % of sound tests raise an alarm.
- **Fails** with p under 0.001. The size of the mismatch does not matter here: any cause that loses people can bias the result.
- **Not assessed** when the arms observed are not those planned. **Not applicable** before the start, and without an A/B test.

Passing is weak evidence in small tests: a true split of 49 to 51 is found in 0.4 % of cases with 1,000 units, 10 % with 10,000
and practically always with 100,000.

## How to fix
1. Do not read the result. Find where the missing units go: count them at assignment, at exposure and in the analysis.
2. Compare the arms by browser, country and day: a mismatch in one slice shows the cause.
3. Mend it, and start again with a new salt. Leaving out the odd units does not mend it.

## Tools
`scipy.stats.chisquare`; the sample ratio check of the experiment platform; Fabijan et al. 2019 for a list of causes.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GE103"
NAME = "sample-ratio-mismatch"
COLLECTORS = ("experiment",)
NEEDS = ("experiment.split_p", "experiment.launched")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The arms hold different people than planned, and the result compares apples with pears."
LIMITS = {"min_p": 0.001}

FIX = "Find where the missing units go, mend it, and start again with a new salt. Do not use this result."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on the p-value of the observed split."""
    launched, row = measured.one("experiment.launched"), measured.one("experiment.split_p")
    if row is None and launched is not None and launched.value == 0:
        return not_applicable("The test has not started: there is no split to check yet.")
    if row is None or row.value is None:
        return not_assessed((row.reason if row else "") or "No split was measured.", fix="Count the units of each planned arm.")
    limit = f"p >= {limits['min_p']:g}"
    said = f"{row.text or 'The arms'} against the planned split: p = {row.value:.2g}, limit {limit}"
    if row.value < limits["min_p"]:
        return stated(Verdict.FAIL, f"{said}: the arms do not hold whom they should.", row, fix=FIX, limit=limit)
    return stated(Verdict.PASS, f"{said}.", row, limit=limit)


def _split(p: float, text: str) -> dict[str, object]:
    return {"experiment.launched": 1.0, "experiment.split_p": Measure("experiment.split_p", p, n=10_000, text=text)}


EXAMPLES = (
    Example("as planned", _split(0.43, "control 5,040, treatment 4,960"), Verdict.PASS),
    Example("exactly at the limit", _split(0.001, "control 5,165, treatment 4,835"), Verdict.PASS),
    Example("looks like half and half, and is not", _split(1.8e-6, "control 821,588, treatment 815,482"), Verdict.FAIL),
    Example("not started", {"experiment.launched": 0.0}, Verdict.NOT_APPLICABLE),
    Example(
        "other arms than planned",
        {"experiment.split_p": Measure("experiment.split_p", None, reason="The arms observed are not those allocated.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
