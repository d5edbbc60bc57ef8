"""Recording what a person attests: answers about exactly what was shown, judged at once, part of the dossier from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gates.models import GateOutcome
from gates.people import PREFIX, waits_for_person
from gates.selectors.outcomes import outcomes_of
from gates.services.judging_people import judge_people
from governance.domain.errors import Conflict, FieldError, InvalidInput, NotFound
from governance.domain.vocabulary import Role
from governance.models import Submission
from governance.policy import Pack
from governance.selectors.access import Caller
from governance.services.work import Work, unit_of_work
from reviews.models import Attested
from reviews.selectors.attesting import Asked, as_measures, asked_of, refusal
from reviews.selectors.case import case_of
from reviews.selectors.dossier import dossier_from, material_of
from reviews.selectors.notices import Notice
from reviews.services.fences import fences
from reviews.services.findings import person_problems
from reviews.services.findings import sync as sync_findings
from reviews.services.locking import locked
from reviews.services.refreshing import refresh
from reviews.services.telling import able_to_decide, tell

MOST_LETTERS = 2_000


@dataclass(frozen=True)
class NewAnswer:
    """One yes or no, with a comment where the person has something to say."""

    yes: bool
    comment: str = ""


def attest(*, caller: Caller, submission_id: int, what: str, subject: str, answers: Mapping[str, NewAnswer]) -> Asked:
    """Record the caller's answers. `answers`: item -> answer, any number of those left; `subject`: digest of what was shown.

    What is recorded stays. The gates that rest on it are judged again and the dossier follows, so decisions on the earlier one
    are
    void. Raises `NotFound`, `Forbidden`, `SegregationOfDuties`, `Conflict` when something else is shown by now or an item was
    answered
    already, `InvalidInput` for no answer or an unknown item.
    """
    with fences(), unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        material = material_of(submission, lock=True)
        asked = asked_of(submission, material.pack, material.outcomes)
        row = next((one for one in asked if one.attestation.id == what), None)
        if row is None or material.pack is None:
            raise NotFound(f"{submission.number} does not ask anybody to attest “{what[:40]}”.")
        case = case_of(submission, caller)
        if (refused := refusal(case, caller, submission.unit_id, row.attestation)) is not None:
            raise refused
        _check(row, subject, answers)
        _record(work, submission, caller, row, answers)
        asked = asked_of(submission, material.pack, material.outcomes)
        outcomes = judge_people(work, submission=submission, pack=material.pack, people=as_measures(asked))
        sync_findings(work, submission, person_problems(submission, outcomes))
        refresh(work, submission, dossier_from(material_of(submission, lock=True)))
        return next(one for one in asked if one.attestation.id == what)


def with_people(work: Work, submission: Submission, pack: Pack, outcomes: list[GateOutcome]) -> list[GateOutcome]:
    """The outcomes of a settled revision with what people attested before about the very same thing; unchanged where nobody
    did.
    """
    asked = [row for row in asked_of(submission, pack, outcomes) if row.answers]
    if not asked:
        return outcomes
    judge_people(work, submission=submission, pack=pack, people=as_measures(asked_of(submission, pack, outcomes)))
    return outcomes_of(submission.pk, submission.revision)


def ask_people(work: Work, submission: Submission, pack: Pack, outcomes: Iterable[GateOutcome], *, turn: Role) -> None:
    """Tell those whom gates wait for and whose turn it is not anyway: without them nobody can approve."""
    waiting = {o.metric.removeprefix(PREFIX) for o in outcomes if waits_for_person(o.metric, o.verdict)}
    for about in pack.document.attestations:
        if about.id in waiting and about.role is not turn:
            tell(
                work,
                submission,
                Notice.YOUR_TURN,
                able_to_decide(submission, about.role),
                key=f"{submission.number}:{about.id}:r{submission.revision}",
                title=f"{submission.number} {submission.system.slug} {submission.version.version}: {about.title.lower()}",
                says=f"Nobody can approve it before you answered. You attest to: {about.statement}",
                path=f"/submissions/{submission.number}/attest",
            )


def _check(row: Asked, subject: str, answers: Mapping[str, NewAnswer]) -> None:
    if subject != row.subject:
        raise Conflict(
            "What is shown changed since you opened the page. Read it as it is now; nothing was recorded.", code="stale"
        )
    if not answers:
        raise InvalidInput(
            "Nothing was recorded: answer at least one.", errors=(FieldError("/answers", "missing", "Answer yes or no."),)
        )
    known, left = {item.key for item in row.items}, {item.key for item in row.left}
    if not set(answers) <= known:
        raise InvalidInput(
            "An answer belongs to nothing on this page.", errors=(FieldError("/answers", "unknown", "Load it again."),)
        )
    if not set(answers) <= left:
        raise Conflict("Some of these were answered already, and answers stay. Load the page again.", code="answered")
    for key, answer in answers.items():
        if len(answer.comment) > MOST_LETTERS:
            raise InvalidInput(
                f"A comment has at most {MOST_LETTERS:,} letters.",
                errors=(FieldError(f"/answers/{key}/comment", "long", "Shorten it."),),
            )


def _record(work: Work, submission: Submission, caller: Caller, row: Asked, answers: Mapping[str, NewAnswer]) -> None:
    assert caller.person is not None
    about = row.attestation
    shown = {item.key: item.shown for item in row.items}
    created = Attested.objects.bulk_create(
        Attested(
            submission=submission,
            revision=submission.revision,
            what=about.id,
            item=key,
            subject=row.subject,
            role=about.role,
            by=caller.person,
            yes=answer.yes,
            comment=answer.comment.strip(),
            asked=about.asks if about.reads else about.statement,
            shown=shown[key],
        )
        for key, answer in answers.items()
    )
    work.note(
        "attestation.recorded",
        submission,
        {
            "what": about.id,
            "role": about.role.value,
            "revision": submission.revision,
            "subject": row.subject,
            "yes": sum(item.yes for item in created),
            "no": sum(not item.yes for item in created),
            "of": len(row.items),
        },
    )
