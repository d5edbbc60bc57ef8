"""Findings the machine records: opened by a gate, a contradiction or a missing way back; closed when it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models.functions import Now

from gates.models import GateOutcome
from gates.people import waits_for_person
from governance.domain.vocabulary import Severity, Verdict
from governance.models import Submission
from governance.policy import Contradiction
from governance.services.work import Work
from reviews.models import Finding
from reviews.services.rollback import QUESTION

BLOCKED = frozenset({Verdict.FAIL, Verdict.NOT_ASSESSED})


@dataclass(frozen=True)
class Problem:
    """What should be an open finding now."""

    about: str
    severity: Severity
    says: str
    fix: str = ""


def problems_of(outcomes: Iterable[GateOutcome], contradictions: Iterable[Contradiction], no_way_back: str) -> list[Problem]:
    """What the checks of a revision found.

    A blocking gate that fails or could not be assessed is high; a failing one that only advises, and sources that disagree, are
    medium.
    """
    found = []
    for outcome in outcomes:
        if waits_for_person(outcome.metric, outcome.verdict):
            continue  # nothing to mend: the case goes to the person it waits for
        if outcome.blocking and outcome.verdict in BLOCKED:
            found.append(Problem(outcome.code, Severity.HIGH, outcome.says, outcome.fix))
        elif outcome.verdict == Verdict.FAIL:
            found.append(Problem(outcome.code, Severity.MEDIUM, outcome.says, outcome.fix))
    for row in contradictions:
        found.append(
            Problem(row.fact[:100], Severity.MEDIUM, row.says, "Correct the wrong source, or say in the answer why they differ.")
        )
    if no_way_back:
        found.append(Problem(QUESTION, Severity.HIGH, no_way_back, "Answer the question, then submit the revision."))
    return found


def person_problems(submission: Submission, outcomes: Iterable[GateOutcome]) -> list[Problem]:
    """What should be open after somebody attested: the findings of gates as the outcomes are now, all others as they stand."""
    outcomes = tuple(outcomes)
    judged = {outcome.code for outcome in outcomes}
    standing = Finding.objects.filter(submission=submission, state="open", raised_by__isnull=True).exclude(about__in=judged)
    kept = [Problem(row.about, Severity(row.severity), row.says, row.fix) for row in standing]
    return [*problems_of(outcomes, (), ""), *kept]


def sync(work: Work, submission: Submission, problems: Iterable[Problem]) -> list[Finding]:
    """Open what is new and close what is gone, within the caller's transaction. What a person raised is left alone.

    Returns the findings opened. A finding whose words changed is closed and opened anew, so that the record keeps both.
    """
    wanted = {problem.about: problem for problem in problems}
    for row in Finding.objects.filter(submission=submission, state="open", raised_by__isnull=True).select_for_update():
        now = wanted.get(row.about)
        if now is not None and (row.says, row.severity) == (now.says, now.severity):
            del wanted[row.about]
            continue
        why = f"Checked again in revision {submission.revision}: " + (
            "found again with other numbers." if now else "no longer found."
        )
        Finding.objects.filter(pk=row.pk).update(state="closed", closed_at=Now(), closed_why=why)
        work.note("finding.closed", submission, {"finding": row.pk, "about": row.about, "revision": submission.revision})
    opened = Finding.objects.bulk_create(
        Finding(
            submission=submission,
            revision=submission.revision,
            about=problem.about,
            severity=problem.severity,
            says=problem.says,
            fix=problem.fix,
            owner_id=submission.submitter_id,
        )
        for problem in wanted.values()
    )
    for row in opened:
        work.note("finding.opened", submission, {"finding": row.pk, "about": row.about, "severity": str(row.severity)})
    return opened
