"""Threads about a case: drafted alone, published together, resolved by who reviews. Nothing here voids a decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models.functions import Now

from gates.selectors.outcomes import outcomes_of
from governance.domain.errors import DomainError, FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import Disposition
from governance.models import Person, Submission
from governance.selectors.access import Caller
from governance.selectors.policy import pack_of
from governance.services.work import Work, unit_of_work
from reviews.models import Finding, Remark, Thread
from reviews.selectors.notices import Notice
from reviews.selectors.threads import remark_refusal, standing
from reviews.services.locking import locked
from reviews.services.telling import answerable, tell

LONGEST = 5_000
MOST_DRAFTS = 50
_MENTION = re.compile(r"(?<![\w@])@([a-z0-9][a-z0-9._-]{1,79})")


@dataclass(frozen=True)
class NewRemark:
    """A remark on a thread that is there (`thread`), or on a gate, question or finding (`about_kind`, `about`)."""

    text: str
    disposition: str
    thread: int | None = None
    about_kind: str = ""
    about: str = ""


def draft_remark(*, caller: Caller, submission_id: int, new: NewRemark) -> Remark:
    """Write a remark that only its author sees until it is published. Raises `NotFound`, `Forbidden`, `Conflict`,
    `InvalidInput` naming the field."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        thread = _thread(submission, new)
        was = thread.disposition if thread is not None else ""
        known = {d.value for d in Disposition}
        disposition = Disposition(new.disposition) if new.disposition in known else Disposition.QUESTION
        if (refused := remark_refusal(submission, caller, disposition, was)) is not None:
            raise refused
        problems = []
        if new.disposition not in known:
            problems.append(FieldError("/disposition", "unknown", f"Say what it is: {', '.join(d.label for d in Disposition)}."))
        if not new.text.strip() or len(new.text) > LONGEST:
            problems.append(FieldError("/text", "missing", f"Write 1 to {LONGEST:,} letters."))
        if thread is None and not _is_there(submission, new.about_kind, new.about):
            problems.append(FieldError("/about", "unknown", "Choose a gate, a question or a finding of this case."))
        if Remark.objects.filter(submission=submission, by=caller.person, published_at__isnull=True).count() >= MOST_DRAFTS:
            problems.append(FieldError("/text", "many", "Publish your drafts before you write more."))
        if problems:
            raise InvalidInput("Nothing was kept: " + " ".join(p.detail for p in problems), errors=tuple(problems))
        assert caller.person is not None
        if thread is None:
            thread = Thread.objects.create(
                submission=submission, about_kind=new.about_kind, about=new.about, opened_by=caller.person
            )
        remark = Remark.objects.create(
            thread=thread,
            submission=submission,
            revision=submission.revision,
            by=caller.person,
            disposition=disposition,
            text=new.text.strip(),
        )
        work.gives(remark.pk)
        work.note("remark.drafted", submission, {"remark": remark.pk, "thread": thread.pk})
    return remark


def drop_draft(*, caller: Caller, submission_id: int, remark_id: int) -> None:
    """Take a draft of one's own away."""
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        _person(caller)
        found = Remark.objects.filter(pk=remark_id, submission=submission, by=caller.person, published_at__isnull=True)
        if not found.delete()[0]:
            raise NotFound("You have no such draft.")
        work.note("remark.dropped", submission, {"remark": remark_id})


def publish(*, caller: Caller, submission_id: int) -> list[Remark]:
    """Publish all drafts of the caller on the case at once, and tell those concerned and those mentioned, each once.

    Each remark is judged again as things are now: who may no longer say it is refused, and nothing is published.
    """
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        _person(caller)
        drafts = list(
            Remark.objects.select_related("thread")
            .filter(submission=submission, by=caller.person, published_at__isnull=True)
            .order_by("id")
        )
        if not drafts:
            raise InvalidInput("There is nothing to publish: write a remark first.")
        for remark in drafts:
            thread = Thread.objects.select_for_update().get(pk=remark.thread_id)
            refused: DomainError | None = remark_refusal(submission, caller, Disposition(remark.disposition), thread.disposition)
            if refused is not None:
                raise refused
            Remark.objects.filter(pk=remark.pk).update(published_at=Now(), revision=submission.revision)
            Thread.objects.filter(pk=thread.pk).update(disposition=standing(thread.disposition, remark.disposition))
        _tell(work, submission, caller, drafts)
        counts = {d.value: sum(r.disposition == d for r in drafts) for d in Disposition}
        work.note("remarks.published", submission, {"remarks": len(drafts), "revision": submission.revision, **counts})
    return drafts


def _person(caller: Caller) -> None:
    """A person's token reaches the person's drafts as little as anybody else does."""
    if caller.token is not None or caller.person is None:
        raise Forbidden("A token has nothing to say here. A person has to sign in.", code="person_needed")


def _thread(submission: Submission, new: NewRemark) -> Thread | None:
    if new.thread is not None:
        thread = Thread.objects.select_for_update().filter(pk=new.thread, submission=submission).first()
        if thread is None:
            raise NotFound("There is no such thread on this case.")
        return thread
    # one thing is spoken of in one place
    return Thread.objects.select_for_update().filter(submission=submission, about_kind=new.about_kind, about=new.about).first()


def _is_there(submission: Submission, kind: str, about: str) -> bool:
    if kind == "gate":
        return any(outcome.code == about for outcome in outcomes_of(submission.pk, submission.revision))
    if kind == "question" and submission.policy is not None:
        form = pack_of(submission.policy).questionnaire
        return form is not None and about in form.by_id
    return kind == "finding" and about.isdigit() and Finding.objects.filter(pk=int(about), submission=submission).exists()


def _tell(work: Work, submission: Submission, caller: Caller, remarks: Sequence[Remark]) -> None:
    """Those mentioned hear that; who answers for the case and who spoke in these threads hear the rest."""
    names = {name for remark in remarks for name in _MENTION.findall(remark.text.lower())}
    by = caller.person.name if caller.person is not None else "Somebody"
    people = Person.objects.filter(username__in=names, is_active=True).values_list("pk", flat=True)
    mentioned = dict.fromkeys(people, f"{by} mentioned you.")
    spoke = Remark.objects.filter(thread__in={r.thread_id for r in remarks}, published_at__isnull=False)
    others = dict.fromkeys(spoke.values_list("by_id", flat=True), "You wrote in this thread.") | answerable(submission)
    must = sum(remark.disposition == Disposition.MUST_FIX for remark in remarks)
    more = f", {must} must be fixed" if must else ""
    says = f"{by} wrote {len(remarks)} remark{'' if len(remarks) == 1 else 's'}{more}: {remarks[0].text[:200]}"
    title = f"{submission.number} {submission.system.slug} {submission.version.version}: remarks"
    where, key = f"/submissions/{submission.number}/threads", f"{submission.number}:{remarks[-1].pk}"
    tell(work, submission, Notice.MENTIONED, mentioned, key=key, title=title, says=says, path=where)
    rest = {pk: why for pk, why in others.items() if pk not in mentioned}
    tell(work, submission, Notice.REMARK, rest, key=key, title=title, says=says, path=where)
