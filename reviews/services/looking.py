"""Marking a section of a case as seen: the person's own mark, on record, for exactly what the section said."""

from __future__ import annotations

from django.db.models.functions import Now

from governance.domain.errors import Conflict, Forbidden, NotFound
from governance.selectors.access import Caller
from governance.services.work import unit_of_work
from reviews.models import SectionSeen
from reviews.selectors.decision_view import decision_view
from reviews.selectors.seen import section_digests
from reviews.services.locking import locked


def mark_seen(*, caller: Caller, submission_id: int, section: str, digest: str) -> SectionSeen:
    """Mark a section as seen by the caller. `digest`: of the section as the person saw it.

    Raises `NotFound` for a case or section that is not there, `Forbidden` for a token, and `Conflict` where the section says
    something else by now: then nothing is marked, because nobody has seen it.
    """
    if caller.person is None or caller.token is not None:
        raise Forbidden("A person sees a section, not a token.", code="person_needed")
    with unit_of_work(caller) as work:
        submission = locked(caller, submission_id)
        view = decision_view(submission_id, caller)
        now = section_digests(view)
        if section not in now:
            raise NotFound(f"{submission.number} has no such section.")
        if now[section] != digest:
            raise Conflict("This section changed since you opened the page. Read it as it is now.", code="section_changed")
        mark, _ = SectionSeen.objects.update_or_create(
            submission=submission,
            person=caller.person,
            section=section,
            defaults={"unit_id": submission.unit_id, "digest": digest, "dossier_digest": view.dossier_digest, "at": Now()},
            create_defaults={"unit_id": submission.unit_id, "digest": digest, "dossier_digest": view.dossier_digest},
        )
        work.note("section.seen", submission, {"section": section, "digest": digest})
    return mark
