"""An A/B test that cannot tell (GE101)

## What it checks
The set-up of a declared A/B test before it starts, from the evidence `experiment` (YAML or JSON):

```yaml
id: gift-order-2026-11
team: shop-recommendations
hypothesis: Newer gifts first raises the share of visitors who put one into the basket.
change: {decision: gift order, direction: increase, what: newer gifts come first}
primary_metric: {name: basket rate, baseline: 0.20, minimum_effect: 0.05}   # absolute; or standard_deviation for a mean
guardrails: [returns, page time]
unit: visitor             # of randomisation
analysis_unit: visitor
salt: gift-order-1
layer: gifts
population: {country: [de, at], device: [mobile]}   # leave out for everybody
allocation: {control: 0.5, treatment: 0.5}
exposure_percent: 5
units_per_day: 400
start: 2026-11-23
end: 2026-12-06
stop_rule: {kind: fixed, rule: evaluated once after two weeks}   # sequential with a correction if you look earlier
observed: {control: 2710, treatment: 2698}   # once it runs
```

The sample size for a rate p and an absolute effect δ is `(z(1-α/2)·√(2p(1-p)) + z(power)·√(p(1-p) + (p+δ)(1-p-δ)))² / δ²` in
each of two equal arms (Evan Miller): 20 % to 25 % needs 1,030. For a mean it is `2·((z(1-α/2) + z(power))·σ/δ)²`.

## Why it matters
A test that is too small, too short or stopped when it looks good finds what was hoped for, and the model goes live on it. What is
not written down before the start cannot be checked after it.

## What good enough looks like
- **Passes** with hypothesis, one primary metric, unit, allocation that sums to 1, salt, guardrails, a stop rule, at least 7
  days (a business cycle), enough units for the minimum effect at a power of 0.80 and α of 0.05, and no more exposure than the
  track allows.
- **Warns** without a salt or guardrails, when two places name different exposures, or when it is not said how many units a day
  take part.
- **Fails** when one of the other parts is missing, arms overlap, the units of randomisation and analysis differ, it is looked at
  early without a correction, the effect was observed instead of chosen, the power is planned under 0.80, fewer units are
  expected than needed, it is too short, or exposure is over the cap. Caps by track are in the pack.
- **Not assessed** when an A/B test is declared without its set-up. **Not applicable** when none is declared.

## How to fix
1. Write the missing line. The minimum effect is the smallest one that would matter, not one that was seen.
2. Too few units: longer, more exposure if the track allows it, a metric that varies less, or a larger minimum effect with a
   reason.
3. If you want to look early, use a sequential rule (alpha spending, mSPRT) and name it as `correction`.

## Tools
Evan Miller's calculator and statsmodels for the size (`NormalIndPower` uses Cohen's h: 1,092 for the same case); GrowthBook, Eppo
or your own platform for the test.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GE101"
NAME = "experiment-cannot-tell"
COLLECTORS = ("experiment",)
NEEDS = (
    "experiment.setup", "experiment.needed_per_arm", "experiment.needed", "experiment.expected", "experiment.days",
    "experiment.exposure_percent",
)  # fmt: skip
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "A test too small, too short or stopped at will finds what was hoped for, and the model goes live on it."
LIMITS = {"min_days": 7, "min_power": 0.80, "max_alpha": 0.05, "max_exposure_percent": 5}

EDGE = 1e-9
ADVISED = ("part=salt", "part=guardrails")
FIX = "Correct the line in the experiment's document and hand it in again; the gate's page shows a whole one."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Verdict on each part of the set-up, the strictest counts."""
    parts = measured.all("experiment.setup")
    if not parts or all(row.value is None for row in parts):
        return not_assessed(next((row.reason for row in parts if row.reason), "No experiment was read."), fix=FIX)
    results = [_part(row) for row in parts]
    results += [_size(measured, limits), _days(measured, limits), _exposure(measured, limits)]
    found = strictest(results)
    if found.verdict is Verdict.PASS:
        needed = measured.one("experiment.needed")
        if needed is not None and needed.value is not None:
            return next(result for result in results if result.metric == "experiment.expected")
    return found


def _part(row: Measure) -> GateResult:
    name = row.group.partition("=")[2]
    if row.value:
        return stated(Verdict.PASS, f"{name.capitalize()}: {row.text}.", row)
    verdict = Verdict.WARN if row.group in ADVISED else Verdict.FAIL
    return stated(verdict, f"The set-up is not whole: {row.text}.", row, fix=FIX)


def _size(measured: Measured, limits: Limits) -> GateResult:
    needed, expected, arm = (measured.one(f"experiment.{name}") for name in ("needed", "expected", "needed_per_arm"))
    if needed is None or needed.value is None:
        return stated(Verdict.FAIL, (needed.reason if needed else "") or "The sample size was not worked out.", needed, fix=FIX)
    power, alpha = (arm.detail.get(name) if arm is not None else None for name in ("power", "alpha"))
    if power is not None and power < limits["min_power"] - EDGE:
        says = f"The test is planned with a power of {power:.2f}; it needs {limits['min_power']:.2f}."
        return stated(Verdict.FAIL, says, arm, fix=FIX)
    if alpha is not None and alpha > limits["max_alpha"] + EDGE:
        says = f"The test is planned with an alpha of {alpha:.3f}; at most {limits['max_alpha']:.2f} is accepted."
        return stated(Verdict.FAIL, says, arm, fix=FIX)
    each = f" ({arm.value:,.0f} in each of two equal arms)" if arm is not None and arm.value is not None else ""
    if expected is None or expected.value is None:
        return stated(
            Verdict.WARN, f"{needed.value:,.0f} units are needed{each}. {expected.reason if expected else ''}", needed, fix=FIX
        )
    enough = expected.value >= needed.value - EDGE
    limit = f">= {needed.value:,.0f} units"
    says = f"{expected.value:,.0f} units are expected, {needed.value:,.0f} are needed{each}"
    tail = "." if enough else ": the test is too small for its minimum effect."
    fix = "" if enough else "Run it longer, or name a larger minimum effect that would still matter, with the reason."
    return stated(Verdict.PASS if enough else Verdict.FAIL, f"{says}{tail}", expected, fix=fix, limit=limit)


def _days(measured: Measured, limits: Limits) -> GateResult:
    row = measured.one("experiment.days")
    least = limits["min_days"]
    if row is None or row.value is None:
        return stated(Verdict.FAIL, (row.reason if row else "") or "Start and end are not stated.", row, fix=FIX)
    if row.value < least:
        says = f"It lasts {row.value:.0f} days; at least {least} are needed, so that each day of the week counts."
        return stated(Verdict.FAIL, says, row, fix=FIX, limit=f">= {least} days")
    return stated(Verdict.PASS, f"It lasts {row.value:.0f} days.", row, limit=f">= {least} days")


def _exposure(measured: Measured, limits: Limits) -> GateResult:
    row = measured.one("experiment.exposure_percent")
    most = limits["max_exposure_percent"]
    if row is None or row.value is None:
        return stated(Verdict.FAIL, (row.reason if row else "") or "The exposure is not stated.", row, fix=FIX)
    limit = f"<= {most:g} %"
    if row.value > most + EDGE:
        says = f"{row.value:g} % of the traffic would take part; on this track at most {most:g} % may."
        return stated(Verdict.FAIL, says, row, fix="Expose less, or finish the review before exposing more.", limit=limit)
    if row.text:
        return stated(Verdict.WARN, f"Two exposures are named: {row.text}; the larger counts.", row, fix=FIX, limit=limit)
    return stated(Verdict.PASS, f"{row.value:g} % of the traffic takes part.", row, limit=limit)


def _whole(**changes: Measure) -> dict[str, object]:
    names = (
        "hypothesis",
        "primary metric",
        "unit",
        "stop rule",
        "salt",
        "guardrails",
        "allocation",
        "separate arms",
        "no peeking",
    )
    detail = {"alpha": 0.05, "power": 0.80}
    rows: dict[str, object] = {
        "experiment.setup": [Measure("experiment.setup", 1.0, f"part={name}", text="stated") for name in names],
        "experiment.needed_per_arm": Measure("experiment.needed_per_arm", 1030, detail=detail),
        "experiment.needed": Measure("experiment.needed", 2060),
        "experiment.expected": Measure("experiment.expected", 5600),
        "experiment.days": Measure("experiment.days", 14),
        "experiment.exposure_percent": Measure("experiment.exposure_percent", 5),
    }
    return {**rows, **{f"experiment.{name}": row for name, row in changes.items()}}


def _without(part: str, text: str) -> Measure:
    return Measure("experiment.setup", 0.0, f"part={part}", text=text)


EXAMPLES = (
    Example("whole", _whole(), Verdict.PASS),
    Example("exactly at the limit of exposure and size", _whole(expected=Measure("experiment.expected", 2060)), Verdict.PASS),
    Example("too small", _whole(expected=Measure("experiment.expected", 1500)), Verdict.FAIL),
    Example("no guardrail", _whole(setup=_without("guardrails", "no guardrail metric is named")), Verdict.WARN),
    Example("arms that do not sum to 1", _whole(setup=_without("allocation", "the arms sum to 0.9 instead of 1")), Verdict.FAIL),
    Example("three days", _whole(days=Measure("experiment.days", 3)), Verdict.FAIL),
    Example("a tenth of the traffic", _whole(exposure_percent=Measure("experiment.exposure_percent", 10)), Verdict.FAIL),
    Example(
        "negative effect",
        _whole(needed=Measure("experiment.needed", None, reason="The minimum effect has to be above zero.")),
        Verdict.FAIL,
    ),
    Example(
        "planned with half the power",
        _whole(needed_per_arm=Measure("experiment.needed_per_arm", 500, detail={"alpha": 0.05, "power": 0.5})),
        Verdict.FAIL,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
