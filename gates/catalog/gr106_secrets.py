"""Secrets in what was handed in (GR106)

## What it checks
Reports and documents among the evidence (not models and data tables), and what was declared (parameters, sources,
addresses): keys and tokens by their fixed shape (private keys, AWS, GitHub, GitLab, Slack, Google, Stripe, npm, PyPI,
Hugging Face …), passwords inside addresses, and values of names such as `api_key` that look random (letters and digits,
3.5 bits of entropy a character and more).
What is found is named by kind, file and line. The secret itself is not stored anywhere.

## Why it matters
A secret in a file is known to everybody who may read the file, and files of a submission are kept for years. It is the
usual first step from one system into the next.

## What good enough looks like
None. One find fails, on every track and for every kind of workload. A file longer than 8 MB warns: its end is not read.

## How to fix
Revoke the secret first: it is out. Then take it out of the file, read it from the environment or a vault, and hand the
file in again. If the find is wrong, rename the value so that it no longer looks like one.

## Tools
Gitleaks, TruffleHog and detect-secrets over the whole repository in CI; push protection of GitHub and GitLab. Their SARIF
report is read as `scan_report`.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR106"
NAME = "secrets-in-files"
COLLECTORS = ("secrets",)
NEEDS = ("secrets.found", "secrets.looked_at")
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.SECURITY
MODE = Mode.AUTOMATIC
RISK = "Whoever may read the files of a submission can sign in somewhere else with what they hold."
LIMITS = {"max_found": 0}
_REVOKE = "Revoke the secret first, then read it from the environment or a vault and hand the file in without it."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """More finds than allowed (none) fail. Nothing to look through passes only when the collector says it looked."""
    found, looked = measured.one("secrets.found"), measured.one("secrets.looked_at")
    if found is None or found.value is None:
        reason = measured.not_measured.get("secrets", "Nobody looked for secrets.")
        return not_assessed(reason, fix="Run the check again.")
    limit = f"<= {limits['max_found']}"
    if found.value > limits["max_found"]:
        count = f"{found.value:.0f} secret{'s' if found.value != 1 else ''}"
        return stated(
            Verdict.FAIL, f"{count} in what was handed in: {found.text or 'see the files'}.", found, fix=_REVOKE, limit=limit
        )
    unread = measured.one("secrets.unread")
    if unread is not None and unread.value:
        says = f"None found, but not all was looked through: {unread.text or f'{unread.value:.0f} files'} (beyond 8 MB)."
        return stated(Verdict.WARN, says, unread, fix="Hand in smaller reports, or scan them in CI.", limit=limit)
    texts = looked.value if looked is not None and looked.value is not None else 0.0
    return stated(Verdict.PASS, f"No secret found in {texts:.0f} texts.", found, limit=limit)


EXAMPLES = (
    Example("none", {"secrets.found": 0.0, "secrets.looked_at": 4.0}, Verdict.PASS),
    Example(
        "a token in a report",
        {"secrets.found": Measure("secrets.found", 1.0, text="scan.json, line 7: a GitHub token"), "secrets.looked_at": 4.0},
        Verdict.FAIL,
    ),
    Example("exactly at a limit of one", {"secrets.found": 1.0, "secrets.looked_at": 4.0}, Verdict.PASS, {"max_found": 1}),
    Example("a report too long to read", {"secrets.found": 0.0, "secrets.unread": 1.0}, Verdict.WARN),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
