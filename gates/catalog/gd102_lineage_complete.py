"""Broken lineage (GD102)

## What it checks
Each declared data source resolves to an entry in the register, with an owner and an approval. Training and evaluation
data have digests, and not the same one. Dates follow each other: snapshot, training, today. A code commit and a training
run are named. No source is a path on somebody's computer.

## Why it matters
Without lineage nobody can repeat the training, answer where a wrong value came from, or delete a person's data. An
unregistered source has nobody who vouches for its consent, quality or licence. The same digest for training and
evaluation means that the figures say nothing about new cases.

## What good enough looks like
Every source registered, owned and approved; two different SHA-256 digests; a snapshot no newer than the run and at most
180 days old (a warning, over 365 fails); commit and run named. Unknown is not a pass: sources that are not declared are
not assessed, the rest warns.

## How to fix
Name the sources as the register spells them, or have a new one registered and approved (the data steward does that). Log
data sets with `mlflow.log_input` so that digests and source names arrive by themselves, and start training from a clean
commit.

## Tools
MLflow `log_input` and system tags, DVC, OpenLineage; `sha256sum` for digests (MD5 and shortened digests are shown as
weak).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gates.judging import over, stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD102"
NAME = "lineage-complete"
COLLECTORS = ("lineage",)
NEEDS = (
    "lineage.sources",
    "lineage.unresolved",
    "lineage.unapproved",
    "lineage.without_owner",
    "lineage.local_paths",
    "lineage.training_digest",
    "lineage.evaluation_digest",
    "lineage.same_digest",
    "lineage.date_problems",
    "lineage.data_age_days",
    "lineage.code_commit",
    "lineage.run",
)
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "Nobody can say which data made the model, under whose approval, or make it again."
LIMITS = {"max_age_days_warn": 180, "max_age_days_fail": 365}
_REGISTER = "Name the source as the register spells it, or have it registered and approved by the data steward."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Sources first: undeclared or unlooked-up ones leave the gate without a verdict unless something fails outright."""
    sources, unresolved = measured.one("lineage.sources"), measured.one("lineage.unresolved")
    if sources is None and unresolved is None:
        return not_assessed(measured.not_measured.get("lineage", "Lineage was not looked at."), fix="Declare data.sources.")
    results = [*_sources(measured), *_digests(measured), *_dates(measured, limits), *_code(measured)]
    for row in (sources, unresolved):
        if row is not None and row.value is None:
            results.append(not_assessed(row.reason, fix=_REGISTER))
            break
    if all(result.verdict is Verdict.PASS for result in results):
        count = f"All {sources.value:.0f} sources" if sources is not None and sources.value else "The sources"
        # MLflow shortens its own digests to eight digits; worth knowing, not worth a warning on every run
        short = tuple(row.text for row in measured if row.metric.endswith("_digest") and row.detail.get("weak"))
        says = f"{count} are registered, owned and approved; digests, dates, commit and run hold together."
        return replace(stated(Verdict.PASS, says, sources), notes=short)
    return strictest(results)


def _sources(measured: Measured) -> Iterator[GateResult]:
    for metric, words, fix in (
        ("lineage.unresolved", "Not in the register of data sources", _REGISTER),
        ("lineage.unapproved", "Registered, but not approved", "Ask the source's owner for approval."),
        ("lineage.without_owner", "Registered without an owner", "Have an owner entered for the source."),
    ):
        row = measured.one(metric)
        if row is not None and row.value is not None:
            yield stated(
                Verdict.FAIL if row.value else Verdict.PASS,
                f"{words}: {row.text or 'none'}.",
                row,
                fix=fix if row.value else "",
                limit="none",
            )
    local = measured.one("lineage.local_paths")
    if local is not None and local.value:
        yield stated(
            Verdict.WARN,
            f"Sources on somebody's computer: {local.text}.",
            local,
            fix="Read the data from a place others can reach.",
            limit="none",
        )


def _digests(measured: Measured) -> Iterator[GateResult]:
    for name in ("training", "evaluation"):
        row = measured.one(f"lineage.{name}_digest")
        if row is None:
            continue
        if row.value is None:
            yield stated(Verdict.WARN, row.reason, row, fix="Log the data set with its SHA-256.")
        elif row.value < 1:
            yield stated(
                Verdict.FAIL,
                row.text or f"The {name} digest is not usable.",
                row,
                fix="Log the digest of the file that was really used.",
            )
    same = measured.one("lineage.same_digest")
    if same is not None and same.value:
        yield stated(
            Verdict.FAIL,
            same.text or "Training and evaluation data are the same.",
            same,
            fix="Evaluate on rows the model has not seen.",
        )


def _dates(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    problems, age = measured.one("lineage.date_problems"), measured.one("lineage.data_age_days")
    if problems is not None and problems.value:
        yield stated(
            Verdict.FAIL,
            f"Dates do not follow each other: {problems.text}.",
            problems,
            fix="Correct the declared dates.",
            limit="none",
        )
    if age is not None and age.value is None:
        yield stated(Verdict.WARN, age.reason, age, fix="Declare data.snapshot_date.")
    elif age is not None:
        yield over(
            age,
            warn=limits["max_age_days_warn"],
            fail=limits["max_age_days_fail"],
            says="The age of the training data in days",
            because="the world it describes has moved on",
            fix="Train on newer data, or say why old data is right here.",
            fmt=".0f",
        )


def _code(measured: Measured) -> Iterator[GateResult]:
    for metric, fix in (
        ("lineage.code_commit", "Train from a committed state and log the commit."),
        ("lineage.run", "Log the training run."),
    ):
        row = measured.one(metric)
        if row is not None and not row.value:
            yield stated(Verdict.WARN, row.text or row.reason or "Code commit or training run is missing.", row, fix=fix)


_WHOLE = {
    "lineage.sources": 2.0,
    "lineage.unresolved": 0.0,
    "lineage.unapproved": 0.0,
    "lineage.without_owner": 0.0,
    "lineage.local_paths": 0.0,
    "lineage.training_digest": 1.0,
    "lineage.evaluation_digest": 1.0,
    "lineage.same_digest": 0.0,
    "lineage.date_problems": 0.0,
    "lineage.data_age_days": 30.0,
    "lineage.code_commit": 1.0,
    "lineage.run": 1.0,
}
EXAMPLES = (
    Example("all resolved", _WHOLE, Verdict.PASS),
    Example("exactly at the age limit", {**_WHOLE, "lineage.data_age_days": 180.0}, Verdict.PASS),
    Example("half a year and a day", {**_WHOLE, "lineage.data_age_days": 181.0}, Verdict.WARN),
    Example(
        "one unknown source",
        {**_WHOLE, "lineage.unresolved": Measure("lineage.unresolved", 1.0, text="scraped_profiles")},
        Verdict.FAIL,
    ),
    Example("trained and evaluated on the same file", {**_WHOLE, "lineage.same_digest": 1.0}, Verdict.FAIL),
    Example("no commit", {**_WHOLE, "lineage.code_commit": 0.0}, Verdict.WARN),
    Example(
        "no source declared",
        {**_WHOLE, "lineage.sources": Measure("lineage.sources", None, reason="No data source is declared.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
