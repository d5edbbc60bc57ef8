"""Files that are not what they say (GR105)

## What it checks
The SHA-256 of every file handed in, worked out again from its bytes, against the store's and against the digests the
metadata declare (`evidence.digests`, `model.digest`). Empty files by their digest (`e3b0c442…`). One file in the place of
candidate and champion; an artefact or a training run that another version already has. Dates after the day of handing in,
sources on somebody's computer, and whether the model records its input and output schema.

## Why it matters
Everything a reviewer signs is bound to digests. If the file measured is not the file deployed, the review was of
something else. The usual cause is no attack: the champion's file uploaded twice, an export that wrote nothing, a run id
copied from the last version. Each gives figures that look fine.

## What good enough looks like
Every declared digest is that of the file; no empty file; candidate and champion differ; no date in the future. These fail
when they do not hold. An artefact or run that another version has, a local path, a model without schema and a declared
digest whose file was not handed in warn.

## How to fix
Upload the file that was really evaluated and deployed, or correct the digest where it is declared. Log a training run for
each version. Save the model with a signature (`mlflow.models.infer_signature`), so that consumers can check what they
send.

## Tools
`sha256sum`, `mlflow.log_artifact` with digests, Sigstore's `cosign` or in-toto where provenance is signed (a signature is
not checked here).
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR105"
NAME = "artifact-integrity"
COLLECTORS = ("integrity",)
NEEDS = ("integrity.files", "integrity.mismatched", "integrity.changed", "integrity.empty", "integrity.same_as_champion")
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "What was reviewed is not what is deployed, and nobody can tell."
LIMITS = {"signature_required": False}
_UPLOAD = "Upload the file that was evaluated, or correct the digest where it is declared."
_WRONG = (
    ("integrity.changed", "Files whose bytes are no longer those stored", "Upload them again and tell an administrator."),
    ("integrity.mismatched", "Declared digests that are not the file's", _UPLOAD),
    ("integrity.empty", "Empty files", "Write the file to the end and upload it again."),
    ("integrity.same_as_champion", "Candidate and champion are the same", "Upload the candidate's own file."),
    ("integrity.future_dates", "Dates after the day of handing in", "Correct the declared dates."),
)
_ODD = (
    (
        "integrity.used_twice",
        "Another version already has it",
        "Train and log a run for each version, or say why it is the same.",
    ),
    ("integrity.local_paths", "Sources on somebody's computer", "Read the data from a place others can reach."),
    (
        "integrity.declared_without_file",
        "Declared digests whose file was not handed in",
        "Hand the file in, or remove the digest.",
    ),
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """What does not match fails, what is odd warns."""
    files = measured.one("integrity.files")
    if files is None or files.value is None:
        reason = measured.not_measured.get("integrity", "No file was looked at.")
        return not_assessed(reason, fix="Hand in the evidence files, and declare their digests.")
    results = [*_found(measured, _WRONG, Verdict.FAIL), *_found(measured, _ODD, Verdict.WARN), *_signature(measured, limits)]
    declared = measured.one("integrity.declared")
    if not files.value and not (declared is not None and declared.value):
        return not_assessed("No file was handed in and no digest is declared.", fix="Hand in the evidence files.")
    if not results:
        compared = measured.one("integrity.compared")
        count = compared.value if compared is not None and compared.value else 0.0
        agree = f"{count:.0f} declared digests are theirs" if count else "no digest of them is declared to compare with"
        says = f"The bytes of {files.value:.0f} files are those stored; {agree}."
        return stated(Verdict.PASS, says, files, limit="as declared")
    return strictest(results)


def _found(measured: Measured, checks: tuple[tuple[str, str, str], ...], verdict: Verdict) -> Iterator[GateResult]:
    for metric, words, fix in checks:
        row = measured.one(metric)
        if row is not None and row.value:
            yield stated(verdict, f"{words}: {row.text or f'{row.value:.0f}'}.", row, fix=fix, limit="none")


def _signature(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    row = measured.one("integrity.signature")
    if row is not None and row.value == 0:
        verdict = Verdict.FAIL if limits["signature_required"] else Verdict.WARN
        says = "The model records no input and output schema (signature), so consumers cannot check what they send."
        yield stated(verdict, says, row, fix="Save the model with a signature.", limit="present")


_WHOLE = {
    "integrity.files": 5.0,
    "integrity.declared": 2.0,
    "integrity.compared": 2.0,
    "integrity.changed": 0.0,
    "integrity.mismatched": 0.0,
    "integrity.empty": 0.0,
    "integrity.same_as_champion": 0.0,
    "integrity.used_twice": 0.0,
    "integrity.signature": 1.0,
}
EXAMPLES = (
    Example("as declared", _WHOLE, Verdict.PASS),
    Example("at the limit: one digest is not the file's", {**_WHOLE, "integrity.mismatched": 1.0}, Verdict.FAIL),
    Example("an empty file", {**_WHOLE, "integrity.empty": Measure("integrity.empty", 1.0, text="candidate.csv")}, Verdict.FAIL),
    Example("the champion uploaded twice", {**_WHOLE, "integrity.same_as_champion": 1.0}, Verdict.FAIL),
    Example("the same run as version 1.2", {**_WHOLE, "integrity.used_twice": 1.0}, Verdict.WARN),
    Example("trained tomorrow", {**_WHOLE, "integrity.future_dates": 1.0}, Verdict.FAIL),
    Example("no signature", {**_WHOLE, "integrity.signature": 0.0}, Verdict.WARN),
    Example(
        "no signature where one is required", {**_WHOLE, "integrity.signature": 0.0}, Verdict.FAIL, {"signature_required": True}
    ),
    Example("nothing to compare", {"integrity.files": 0.0}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
