"""Who may say what in the threads of a case."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from governance.domain.decision_review import RemarkView, ThreadView
from governance.domain.errors import Conflict, DomainError, Forbidden
from governance.domain.lifecycle import words
from governance.domain.vocabulary import OPEN_STATES, REVIEWING_ROLES, Disposition, State
from governance.models import Contributor, Submission
from governance.selectors.access import Caller
from reviews.models import Finding, Remark, Thread
from reviews.selectors.paging import page_of


def works_on_it(submission: Submission, caller: Caller) -> bool:
    """Whether the caller handed the version in or worked on it."""
    me = caller.person.pk if caller.person is not None else 0
    return me == submission.submitter_id or Contributor.objects.filter(submission=submission, person_id=me).exists()


def remark_refusal(
    submission: Submission,
    caller: Caller,
    disposition: Disposition = Disposition.QUESTION,
    was: str = "",
    *,
    mine: bool | None = None,
) -> DomainError | None:
    """Why the caller may not make that of a thread which stands at `was`, or None. `mine`: what `works_on_it` said, where it was
    asked already.

    People who work on the version and people who review speak. What must be fixed reviewers say, and only they say that it is.
    """
    if caller.token is not None or caller.person is None:
        return Forbidden("A token has nothing to say here. A person has to sign in.", code="person_needed")
    if State(submission.state) not in OPEN_STATES or State(submission.state) is State.DRAFT:
        return Conflict(f"Threads are about cases under way; this one is {words(State(submission.state))}.", code="wrong_state")
    mine = works_on_it(submission, caller) if mine is None else mine
    reviews = bool(caller.roles_in(submission.unit_id) & REVIEWING_ROLES)
    if not mine and not reviews:
        return Forbidden("People who work on the version and people who review it write here.", code="role_needed")
    judges = reviews and not mine
    if disposition is Disposition.MUST_FIX and not judges:
        return Forbidden("Only somebody who reviews it says that something must be fixed.", code="role_needed")
    if was == Disposition.MUST_FIX and disposition is Disposition.RESOLVED and not judges:
        return Forbidden(
            "Who reviews it said that this must be fixed, and says when it is. Answer as a question.", code="role_needed"
        )
    return None


def standing(was: str, remark: str) -> str:
    """What a thread stands at after a remark: what must be fixed stays so until it is resolved."""
    return was if was == Disposition.MUST_FIX and remark != Disposition.RESOLVED else remark


def drafts_of(submission: Submission, caller: Caller) -> Sequence[Remark]:
    """The caller's own drafts on the case."""
    rows = Remark.objects.select_related("thread").filter(submission=submission, by=caller.person, published_at__isnull=True)
    return list(rows.order_by("id"))


def published(submission: Submission, *, cursor: str = "", size: int = 25) -> tuple[tuple[ThreadView, ...], str, str]:
    """Threads of the case with what was published in them, the oldest first: rows, next and previous cursor. Three queries."""
    said = Remark.objects.filter(thread=OuterRef("pk"), published_at__isnull=False)
    page = page_of(Thread.objects.filter(Exists(said), submission=submission), keys=("id",), cursor=cursor, size=size)
    remarks = Remark.objects.select_related("by").filter(thread__in=page.rows, published_at__isnull=False).order_by("id")
    found: dict[int, list[RemarkView]] = {}
    for row in remarks:
        assert row.published_at is not None
        view = RemarkView(row.by.name, row.disposition, row.text, row.revision, row.published_at)
        found.setdefault(row.thread_id, []).append(view)
    numbers = [int(row.about) for row in page.rows if row.about_kind == "finding"]
    labels = dict(Finding.objects.filter(pk__in=numbers).values_list("pk", "about")) if numbers else {}
    views = tuple(
        ThreadView(
            row.pk,
            row.about_kind,
            row.about,
            labels.get(int(row.about), row.about) if row.about_kind == "finding" else row.about,
            row.disposition,
            tuple(found.get(row.pk, ())),
        )
        for row in page.rows
    )
    return views, page.next, page.previous
