"""Build not named by its digest (GA101)

## What it checks
The submission names what is deployed by a SHA-256 digest (`artifact.digest`, from the bill of materials or typed), in a
format the platform deploys (`artifact.format`). The digest of an empty file and a mere tag do not count.

## Why it matters
A tag such as `latest` can be moved after the review. Only a digest says that what was reviewed is what runs; the permit
carries it, and admission to the cluster compares it.

## What good enough looks like
One SHA-256 digest, the one of the image or package that is rolled out, and a format on the policy's list.

## How to fix
Take the digest your build prints (`docker buildx imagetools inspect`, `crane digest`, `pip hash`), and deploy by digest.

## Tools
`crane digest`, `cosign triangulate`, CycloneDX with `metadata.component.hashes`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA101"
NAME = "artefact-named-by-digest"
COLLECTORS = ("artefact",)
NEEDS = ("artefact.digest", "artefact.format")
KINDS = frozenset({Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Something else is deployed than what was reviewed, and nobody can tell."
LIMITS = {"formats": ["oci_image", "wheel", "sdist", "jar", "npm_package", "deb", "rpm", "dbt_project", "dag"]}
_NAME_IT = "Give the SHA-256 digest your build prints (artifact.digest)."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """A digest first, then its format; what nobody said is no pass."""
    digest = measured.one("artefact.digest")
    if digest is None or digest.value is None:
        reason = digest.reason if digest is not None else ""
        return not_assessed(reason or "Nobody looked which build is deployed.", fix=_NAME_IT)
    return strictest([*_digest(digest), *_format(measured, limits)])


def _digest(row: Measure) -> Iterator[GateResult]:
    good = row.value is not None and row.value >= 1
    says = f"The build is named by its digest ({row.text or 'SHA-256'})." if good else row.text or "No digest names the build."
    yield stated(Verdict.PASS if good else Verdict.FAIL, says, row, fix="" if good else _NAME_IT, limit="a SHA-256")


def _format(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    row, known = measured.one("artefact.format"), list(limits["formats"])
    if row is None or row.value is None:
        reason = row.reason if row is not None else ""
        yield not_assessed(reason or "The format of the build is not known.", fix="Say in which format it is deployed.")
    elif row.text and row.text not in known:
        says = f"“{row.text}” is no format the platform deploys."
        yield stated(Verdict.FAIL, says, row, fix=f"Build one of {', '.join(known)}.", limit="a known format")


_IMAGE = Measure("artefact.format", 1.0, text="oci_image")
_TAG = Measure("artefact.digest", 0.0, text="“latest” is no digest.")
EXAMPLES = (
    Example("an image by digest", {"artefact.digest": 1.0, "artefact.format": _IMAGE}, Verdict.PASS),
    Example("a tag", {"artefact.digest": _TAG, "artefact.format": _IMAGE}, Verdict.FAIL),
    Example(
        "at the limit: a format that is not on the list",
        {"artefact.digest": 1.0, "artefact.format": Measure("artefact.format", 1.0, text="zip")},
        Verdict.FAIL,
    ),
    Example(
        "format not said",
        {"artefact.digest": 1.0, "artefact.format": Measure("artefact.format", None, reason="Nobody said.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
