"""What is said to GitHub or GitLab about a deployment that waits: nothing but what the case of exactly that commit says.

A case is about a commit when its version is named by the full commit id, or when everything handed in with its present revision
that names a commit names this one. The newest such case counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F, Q

from governance.domain.facts import FactSet
from governance.domain.lifecycle import words
from governance.domain.markdown_text import plain
from governance.domain.vocabulary import OPEN_STATES, State
from governance.models import Revision, Submission
from governance.selectors.access import SYSTEM, Caller
from reviews.models import DeploymentGate, DeploymentReport, DeploymentRequest
from reviews.selectors.decision_view import url_of, view_for_verdict
from reviews.selectors.permits import permit_answer
from reviews.selectors.verdict import verdict_document

NAMES_COMMIT = ("code.commit", "training.code_commit")
"""Facts that name the commit a version was built from; where the first is known, the second is about something else."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST = 50
_HEADS = {
    DeploymentReport.APPROVE: "Approved by Guiderail.",
    DeploymentReport.REJECT: "Not approved:",
    DeploymentReport.COMMENT: "Guiderail answers here when it is decided.",
}


@dataclass(frozen=True)
class Outcome:
    """What is to be said. `key` names it, so that nothing is said twice; `why` is where it stands, in a sentence."""

    kind: str
    key: str
    why: str
    submission: Submission | None


def outcome_of(request: DeploymentRequest) -> Outcome:
    """Approve, reject, or a comment while people or machines are still at it."""
    gate = request.gate
    cases = cases_of(gate, request.commit)
    if not cases:
        why = (
            f"nobody handed in commit {request.commit[:12]} of {gate.system.slug} for {gate.environment}. Hand it in with "
            f"“guiderail submit --release {request.commit}”, or with files that name the commit; when it is approved, run this "
            "job again."
        )
        return Outcome(DeploymentReport.REJECT, "rejected", why, None)
    row = cases[0]
    # the submitter's unit and nothing beyond: a system of the same name elsewhere is another
    within = Caller(person=row.submitter, home_unit=gate.unit_id)
    answer = permit_answer(
        within,
        system=gate.system.slug,
        version=row.version.version,
        environment=gate.environment,
        exposure=gate.exposure,
    )
    if answer.allowed and answer.submission in {each.number for each in cases}:
        return Outcome(DeploymentReport.APPROVE, "approved", answer.reasons[0], row)
    if State(row.state) in OPEN_STATES and answer.verdict != "refused":
        sure = "final" if row.track_is_final else "so_far"
        turn = f"; it is the turn of: {row.turn.replace('_', ' ')}" if row.turn else ""
        why = f"{row.number} is {words(State(row.state))}{turn}."
        return Outcome(DeploymentReport.COMMENT, f"{row.number}:{row.track}:{sure}:{row.state}", why, row)
    if answer.verdict == "frozen":
        return Outcome(DeploymentReport.COMMENT, f"{row.number}:frozen", " ".join(answer.reasons), row)
    why = f"The permit of {row.version.version} is about another commit." if answer.allowed else answer.reasons[0]
    return Outcome(DeploymentReport.REJECT, "rejected", why, row)


def says_of(gate: DeploymentGate, outcome: Outcome) -> str:
    """Track and why, where it stands, what to do next, and the address. GitHub reads Markdown: there, text stays text."""
    row = outcome.submission
    parts = [_HEADS[outcome.kind]]
    if row is None:
        parts.append(outcome.why)
    else:
        document = verdict_document(view_for_verdict(row.pk, SYSTEM))
        if document["track"]:
            sure = "" if document["track_is_final"] else " so far"
            parts.append(f"{str(document['track']).capitalize()} track{sure}: {document['track_says']}")
        parts.append(outcome.why)
        if document["exit_code"]:
            parts.append(document["next_step"])
    told = " ".join(_sentence(part) for part in parts)
    told = _cut(plain(told) if gate.provider == DeploymentGate.GITHUB else " ".join(told.split()), 900)
    return told if row is None else f"{told} {url_of(row)}"


def cases_of(gate: DeploymentGate, commit: str) -> list[Submission]:
    """Cases of the gate's system and environment that are about exactly this commit, the newest first."""
    if not _COMMIT.fullmatch(commit):
        return []
    of_gate = Submission.objects.filter(system_id=gate.system_id, environment=gate.environment)
    named = Q(pk__in=list(_naming(gate, commit))) | Q(version__version=commit)
    return list(of_gate.filter(named).select_related("system", "version", "unit", "submitter").order_by("-id")[:_MOST])


def _naming(gate: DeploymentGate, commit: str) -> Iterator[int]:
    """Submissions whose present revision names the commit and no other."""
    present = Revision.objects.filter(
        submission__system_id=gate.system_id, submission__environment=gate.environment, number=F("submission__revision")
    )
    holds = Q()
    for name in NAMES_COMMIT:
        holds |= Q(facts__contains=[{"name": name, "value": commit}])
    for pk, facts in present.filter(holds).order_by("-submission_id").values_list("submission_id", "facts")[:_MOST]:
        if _named(FactSet.from_json(facts)) == {commit}:
            yield pk


def _named(facts: FactSet) -> set[object]:
    for name in NAMES_COMMIT:
        said = {fact.value for fact in facts.all(name) if fact.known}
        if said:
            return said
    return set()


def _sentence(value: str) -> str:
    value = value.strip()
    return value if value.endswith((".", "!", "?", ":")) else f"{value}."


def _cut(value: str, most: int) -> str:
    return value if len(value) <= most else f"{value[: most - 1]}…"
