"""Opening a submission: once for the same content or key, one open at a time for each version and environment."""

from __future__ import annotations

from django.db import IntegrityError
from django.db.models.functions import Now

from governance.domain.errors import Conflict
from governance.domain.incoming import NewSubmission
from governance.domain.lifecycle import words
from governance.domain.vocabulary import OPEN_STATES, Role, Scope, State
from governance.models import Contributor, Submission, System, SystemVersion
from governance.selectors.access import Caller
from governance.selectors.policy import require_kind
from governance.selectors.search import search_vector
from governance.selectors.standing import ENDED_WITHOUT, standing
from governance.services.drafts import answer, first_evidence, first_sources, givers_of, names_once
from governance.services.work import Work, WorkingCopy, unit_of_work


def open_submission(
    work: Work, *, unit_id: int, new: NewSubmission, idempotency_key: str = "", origin: str = "form"
) -> tuple[Submission, bool]:
    """Make a draft with everything that was sent, inside the caller's unit of work. Returns it and whether it is new.

    The same content, or the same key with the same content, gives the existing submission. The same key with other content, or
    another open submission of that version and environment, is a `Conflict`.
    """
    caller = work.caller
    caller.require_scope(Scope.SUBMIT)
    caller.require_role(unit_id, Role.SUBMITTER)
    assert caller.person is not None
    names_once(new.sources)
    content = new.content_digest()
    before = standing(unit_id=unit_id, slug=new.system, version=new.version, content=content, key=idempotency_key)
    if before.known:
        existing = known_submission(unit_id=unit_id, content=content, key=idempotency_key)
        if existing is not None:
            return existing, False
    if before.system is None:
        require_kind(new.kind)
    system = _system(work, unit_id, new, before.system)
    # a version made by somebody else in the same moment is a conflict of the whole unit of work, which is tried once more
    version = before.version or SystemVersion.objects.create(system=system, version=new.version)
    version.system = system
    try:
        if before.version is not None:
            refuse_second_open(version, new.environment)
    except Conflict:
        # the same request may have been answered since it was looked for
        existing = known_submission(unit_id=unit_id, content=content, key=idempotency_key)
        if existing is None:
            raise
        return existing, False
    submission = Submission.objects.create(
        unit=before.unit,
        system=system,
        version=version,
        kind=new.kind,
        environment=new.environment,
        submitter=caller.person,
        turn="submitter",
        turn_since=Now(),
        origin=origin,
        idempotency_key=idempotency_key,
        content_digest=content,
        search=search_vector(f"{system.slug} {system.name} {version.version} {new.environment} {system.purpose}"),
    )
    work.note(
        "submission.opened",
        submission,
        {
            "system": system.slug,
            "kind": new.kind.value,
            "version": version.version,
            "environment": new.environment,
            "content": content,
        },
    )
    sources = first_sources(work, submission, new.sources) if new.sources else []
    evidence = first_evidence(work, submission, new.evidence) if new.evidence else []
    did = {"submitted it": True, "brought metadata for it": new.sources, "answered questions on it": new.answers or new.carried}
    gave = [*((caller.person.pk, why) for why, what in did.items() if what), *givers_of(work, evidence)]
    Contributor.objects.bulk_create([Contributor(submission=submission, person_id=pk, why=why) for pk, why in gave])
    answers = []
    if new.answers or new.carried:
        answers = answer(work, submission, new.answers, reason_needed=False, first=sources, carried=new.carried)
    work.made[submission.pk] = WorkingCopy(tuple(sources), tuple(answers), tuple(evidence))
    return submission, True


def open_draft(*, caller: Caller, unit_id: int, new: NewSubmission) -> Submission:
    """Open a draft in a transaction of its own. The same content sent twice in the same moment gives one draft."""
    for last_try in (False, True):
        try:
            with unit_of_work(caller) as work:
                return open_submission(work, unit_id=unit_id, new=new)[0]
        except IntegrityError:
            if last_try:
                raise
    raise AssertionError("unreachable")


def known_submission(*, unit_id: int, content: str, key: str) -> Submission | None:
    """The submission this request was already answered with, or None. Raises `Conflict` for a key used with other content."""
    rows = Submission.objects.select_related("system", "version", "submitter", "unit")
    if key:
        found = rows.filter(unit_id=unit_id, idempotency_key=key).first()
        if found is not None and found.content_digest != content:
            raise Conflict(
                f"The Idempotency-Key was used for {found.number} with other content. Send a new key for a new submission.",
                code="idempotency_key_reused",
            )
        if found is not None:
            return found
    return rows.filter(unit_id=unit_id, content_digest=content).exclude(state__in=ENDED_WITHOUT).order_by("-id").first()


def refuse_second_open(version: SystemVersion, environment: str) -> None:
    """One open submission per version and environment."""
    other = Submission.objects.filter(version=version, environment=environment, state__in=OPEN_STATES).first()
    if other is not None:
        raise Conflict(
            f"{other.number} is already open for version {version.version} in {environment} and is {words(State(other.state))}. "
            "Revise or withdraw that one, or raise the version.",
            code="already_open",
        )


def _system(work: Work, unit_id: int, new: NewSubmission, found: System | None) -> System:
    system, created = found, False
    if system is None:
        work.policy(new.kind)  # refuses a kind for which no pack is in force
        try:
            system, created = System.objects.select_related("owner").get_or_create(
                unit_id=unit_id, slug=new.system, defaults={"name": new.system.replace("-", " ").capitalize(), "kind": new.kind}
            )
        except IntegrityError:  # somebody made it in the same moment
            system = System.objects.select_related("owner").get(unit_id=unit_id, slug=new.system)
    if created:
        work.note("system.registered", system, {"slug": system.slug, "kind": system.kind})
    if system.kind != new.kind:
        raise Conflict(
            f"{system.slug} is registered as {system.kind.replace('_', ' ')}, not {new.kind.value.replace('_', ' ')}.",
            code="other_kind",
        )
    return system
