"""Too few approvals of the code (GA107)

## What it checks
How many different people approved the change, its author left out (`code.approvals`, `code.author`; read from the pull
request where it is handed in), and whether they approved the commit that is handed in.

## Why it matters
A second pair of eyes finds what the author no longer sees, and one person alone cannot bring code into production.

## What good enough looks like
Two approvals by others (the policy's number), on the commit that is deployed. An approval of one's own change never
counts.

## How to fix
Ask for review of the last commit, and hand in the pull request (`gh pr view --json author,reviews,headRefOid,url`).

## Tools
Branch protection of GitHub and GitLab with “dismiss stale approvals”; CODEOWNERS.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA107"
NAME = "code-review-approvals"
COLLECTORS = ("code_review",)
NEEDS = ("review.approvals",)
KINDS = frozenset({Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "One person alone brings code into production, and nobody else has read it."
LIMITS = {"min_approvals": 2}
_ASK = "Ask somebody else to review the last commit, and hand in the pull request."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Enough others, on this commit; an author nobody named may be one of them, which warns."""
    row, least = measured.one("review.approvals"), limits["min_approvals"]
    if row is None or row.value is None:
        reason = (row.reason if row is not None else "") or measured.not_measured.get("code_review", "")
        return not_assessed(reason or "Nobody looked who approved the code.", fix=_ASK)
    limit = f">= {least}"
    if row.value < least:
        own = measured.one("review.own")
        more = " The author's own approval does not count." if own is not None and own.value else ""
        people = "person" if row.value == 1 else "people"
        says = f"{row.value:.0f} {people} approved the code ({row.text or 'nobody'}); {least} are asked for.{more}"
        return stated(Verdict.FAIL, says, row, fix=_ASK, limit=limit)
    stale, author = measured.one("review.stale"), measured.one("review.author_known")
    if stale is not None and stale.value:
        says = f"Another commit was approved: {stale.text or 'they differ'}."
        return stated(Verdict.FAIL, says, stale, fix=_ASK, limit="the same commit")
    if author is not None and author.value == 0:
        says = f"{row.value:.0f} approved, but nobody said who wrote the code, so one of them may be the author."
        return stated(Verdict.WARN, says, row, fix="Name the author (code.author).", limit=limit)
    return stated(
        Verdict.PASS, f"{row.value:.0f} others approved the code ({row.text or 'named in the facts'}).", row, limit=limit
    )


_NOBODY = Measure("review.approvals", None, reason="Nobody said who approved.")
EXAMPLES = (
    Example("exactly at the limit: two others", {"review.approvals": 2.0, "review.author_known": 1.0}, Verdict.PASS),
    Example("one", {"review.approvals": 1.0, "review.author_known": 1.0}, Verdict.FAIL),
    Example("one and the author", {"review.approvals": 1.0, "review.own": 1.0}, Verdict.FAIL),
    Example("an older commit", {"review.approvals": 2.0, "review.stale": 1.0}, Verdict.FAIL),
    Example("author not named", {"review.approvals": 2.0, "review.author_known": 0.0}, Verdict.WARN),
    Example("nobody said", {"review.approvals": _NOBODY}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
