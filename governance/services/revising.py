"""What a revision brings with it: files, evidence and answers in one go, and the same request recognised when it comes again."""

from __future__ import annotations

from governance.domain.errors import Conflict
from governance.domain.incoming import NewRevision
from governance.models import Revision, Submission
from governance.services.drafts import add_source, answer, attach_evidence, editable_submission, names_once
from governance.services.work import Work


def take_in(work: Work, submission: Submission, new: NewRevision) -> None:
    """Put everything that was sent into the working copy of a locked submission; what was not sent stays as it is.

    A file of a known name and evidence in a role that is taken replace what was there. Raises `Forbidden` or `Conflict` when the
    caller may not change it now, `InvalidInput` for what cannot be taken; then nothing is changed.
    """
    if not new.brings_anything:
        return
    editable_submission(caller=work.caller, submission_id=submission.pk)
    names_once(new.sources)
    for source in new.sources:
        add_source(work, submission, source)
    for item in new.evidence:
        attach_evidence(work, submission, item)
    if new.answers or new.carried:
        # a pipeline that gives no reason is recorded as such; a person is asked for one
        answer(work, submission, new.answers, reason_needed=work.caller.token is None, carried=new.carried)


def already_revised(submission: Submission, *, content: str, key: str) -> bool:
    """Whether this request was answered with a revision before. Raises `Conflict` for a key that came with other content.

    With a key it is known for ever; without one as long as the revision it made is the last one.
    """
    if key:
        found = submission.revisions.filter(request_key=key).first()
        if found is not None and found.request_digest != content:
            raise Conflict(
                f"The Idempotency-Key was used for revision {found.number} of {submission.number} with other content. "
                "Send a new key for a new revision.",
                code="idempotency_key_reused",
            )
        return found is not None
    last = Revision.objects.filter(submission=submission, number=submission.revision).first()
    return last is not None and last.request_digest == content
