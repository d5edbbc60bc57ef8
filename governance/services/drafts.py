"""The working copy of a submission: metadata sources, answers, evidence. See `opening` for how it begins.

Everything here happens while a submission is a draft, its checks failed or changes were requested; nothing is judged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from governance.domain.canonical import digest
from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.facts import Fact, FactSet, same
from governance.domain.incoming import NewAnswer, NewEvidence, NewSource
from governance.domain.lifecycle import words
from governance.domain.storable import unstorable
from governance.domain.vocabulary import EDITABLE_STATES, EvidenceRole, Provenance, Scope, State
from governance.models import (
    Answer,
    Contributor,
    Evidence,
    EvidenceFile,
    MetadataSource,
    Person,
    Submission,
)
from governance.prefill.reading import read_source
from governance.selectors.access import Caller, visible
from governance.selectors.answers import refused_answers, try_answers, with_carried
from governance.selectors.evidence import MAX_SOURCE_BYTES, stored_source
from governance.selectors.facts import facts_within, offered, prefilled, stands
from governance.services.evidence import clean_name
from governance.services.work import Work, unit_of_work

MAX_SOURCES = 40


def editable_submission(*, caller: Caller, submission_id: int) -> Submission:
    """Lock the submission for editing. Raises `NotFound`, `Forbidden` or `Conflict`."""
    rows = visible(
        Submission.objects.select_for_update(of=("self",)).select_related("system", "version", "submitter", "unit"), caller
    )
    submission = rows.filter(pk=submission_id).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{submission_id} in your business unit.")
    caller.require_scope(Scope.SUBMIT)
    person = caller.person
    if person is None or not _may_edit(submission, person):
        raise Forbidden("Only the submitter and people who contribute to this submission can change it.", code="not_contributor")
    if State(submission.state) not in EDITABLE_STATES:
        raise Conflict(
            f"{submission.number} is {words(State(submission.state))} and frozen. "
            "It can be changed again when a check fails or changes are requested; or withdraw it.",
            code="frozen",
        )
    return submission


def add_source(work: Work, submission: Submission, new: NewSource) -> MetadataSource:
    """Read a metadata file and keep it with the facts and problems found.

    Malformed content is kept and explained, never refused. A file of the same name is replaced.
    """
    assert work.caller.person is not None
    read, facts = _read(work, submission, new)
    if submission.sources.exclude(name=read.name).count() >= MAX_SOURCES:
        raise _too_many_sources()
    values = {name: getattr(read, name) for name in ("sha256", "content", "reader", "facts", "problems", "added_by")}
    row, _ = MetadataSource.objects.update_or_create(submission=submission, name=read.name, defaults=values)
    contributes(submission, work.caller.person, "brought metadata for it")
    _trained_by(submission, facts)
    _note_source(work, submission, row)
    _touch(work, submission)
    return row


def first_sources(work: Work, submission: Submission, new: Sequence[NewSource]) -> list[MetadataSource]:
    """Keep the metadata files that a submission is opened with, each under a name of its own: one statement for all.

    The caller has put who opens it on record as having brought them.
    """
    if len(new) > MAX_SOURCES:
        raise _too_many_sources()
    read = [_read(work, submission, each) for each in new]
    rows = MetadataSource.objects.bulk_create([row for row, _ in read])
    _trained_by(submission, tuple(fact for _, facts in read for fact in facts))
    for row in rows:
        _note_source(work, submission, row)
    return rows


def _read(work: Work, submission: Submission, new: NewSource) -> tuple[MetadataSource, tuple[Fact, ...]]:
    """The row of a metadata file, not stored yet, and the facts read from it."""
    name = source_name(new.name)
    data = new.content if new.content is not None else stored_source(submission.unit_id, new.sha256)
    if len(data) > MAX_SOURCE_BYTES:
        raise InvalidInput(
            f"{name} has {len(data) / 1024**2:.1f} MiB; metadata files have up to {MAX_SOURCE_BYTES // 1024**2} MiB. "
            "Data belongs into the evidence step.",
            code="too_large",
            errors=(FieldError("/sources", "too_large", f"{name} is too large for a metadata file."),),
        )
    reading = read_source(name, data)
    assert work.caller.person is not None
    row = MetadataSource(
        submission=submission,
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        content=data,
        reader=reading.reader or "",
        facts=[fact.to_json() for fact in reading.facts],
        problems=[asdict(problem) for problem in reading.problems],
        added_by=work.caller.person,
    )
    return row, reading.facts


def _too_many_sources() -> InvalidInput:
    return InvalidInput(f"A submission takes up to {MAX_SOURCES} metadata files. Remove one first.", code="too_many")


def _note_source(work: Work, submission: Submission, row: MetadataSource) -> None:
    work.note("submission.source_added", submission, {"sha256": row.sha256, "reader": row.reader, "facts": len(row.facts)})


def remove_source(work: Work, submission: Submission, source_id: int) -> None:
    """Take a metadata file out of the working copy."""
    row = submission.sources.filter(pk=source_id).first()
    if row is None:
        raise NotFound("That file is no longer part of this submission.")
    work.note("submission.source_removed", submission, {"sha256": row.sha256})
    row.delete()
    _touch(work, submission)


def attach_evidence(work: Work, submission: Submission, new: NewEvidence) -> Evidence:
    """Put a stored file into a role, replacing what was there."""
    file = stored_files(submission.unit_id, [new])[0]
    said = _evidence(work, submission, new, file)
    values = {name: getattr(said, name) for name in ("file", "columns", "format", "added_by")}
    row, _ = Evidence.objects.update_or_create(submission=submission, role=new.role, defaults={**values, "added_at": Now()})
    for person, why in _evidence_givers(work, file):
        contributes(submission, person, why)
    _note_evidence(work, submission, row)
    _touch(work, submission)
    return row


def first_evidence(work: Work, submission: Submission, new: Sequence[NewEvidence]) -> list[Evidence]:
    """Put stored files into roles of a submission that is being opened: one statement for all. Of two in one role the last stays.

    The caller puts on record who gave them, see `givers_of`.
    """
    rows: dict[EvidenceRole, Evidence] = {}
    for each, file in zip(new, stored_files(submission.unit_id, new), strict=True):
        rows.pop(each.role, None)
        rows[each.role] = _evidence(work, submission, each, file)
    made = Evidence.objects.bulk_create(rows.values())
    for row in made:
        _note_evidence(work, submission, row)
    return made


def givers_of(work: Work, evidence: Iterable[Evidence]) -> list[tuple[int, str]]:
    """Who gave evidence, as (person's id, why they do not decide)."""
    found = [(person.pk, why) for row in evidence for person, why in _evidence_givers(work, row.file)]
    return list(dict.fromkeys(found))


def _evidence_givers(work: Work, file: EvidenceFile) -> list[tuple[Person, str]]:
    assert work.caller.person is not None
    found = [(work.caller.person, "attached evidence to it")]
    if file.uploaded_by_id != work.caller.person.pk:
        found.append((file.uploaded_by, "uploaded evidence for it"))
    return found


def stored_files(unit_id: int, new: Sequence[NewEvidence]) -> list[EvidenceFile]:
    """The unit's stored file of each. Raises `InvalidInput` for one nobody has stored."""
    wanted = [each.sha256.removeprefix("sha256:") for each in new]
    rows = EvidenceFile.objects.filter(unit_id=unit_id, sha256__in=wanted).select_related("uploaded_by")
    known = {row.sha256: row for row in rows}
    for each, sha256 in zip(new, wanted, strict=True):
        if sha256 not in known:
            says = "Send the file first, then refer to it by its sha256."
            raise InvalidInput(
                f"No evidence with sha256 {each.sha256[:19]}… is stored in this unit. "
                "Send the file first: POST /api/v1/evidence.",
                code="unknown_evidence",
                errors=(FieldError(f"/evidence/{each.role.value}/sha256", "unknown", says),),
            )
    return [known[sha256] for sha256 in wanted]


def _evidence(work: Work, submission: Submission, new: NewEvidence, file: EvidenceFile) -> Evidence:
    """The row of a file in a role, not stored yet. Raises `InvalidInput` for columns that cannot be kept."""
    assert work.caller.person is not None
    if bad := unstorable({**new.columns, "format": new.format}):
        raise InvalidInput(
            f"The columns of {new.role.value.replace('_', ' ')} cannot be kept: {bad[0]} {bad[1]}.",
            errors=(FieldError(f"/evidence/{new.role.value}/columns", "unstorable", f"This {bad[1]}. Remove it."),),
        )
    return Evidence(
        submission=submission,
        role=new.role,
        file=file,
        columns=dict(new.columns),
        format=new.format[:40],
        added_by=work.caller.person,
    )


def _note_evidence(work: Work, submission: Submission, row: Evidence) -> None:
    role = EvidenceRole(row.role).value
    work.note("submission.evidence_attached", submission, {"role": role, "sha256": row.file.sha256})


def detach_evidence(work: Work, submission: Submission, role: EvidenceRole) -> None:
    """Take the evidence of a role out of the working copy."""
    deleted, _ = submission.evidence.filter(role=role).delete()
    if not deleted:
        raise NotFound(f"No {role.value.replace('_', ' ')} is attached.")
    work.note("submission.evidence_detached", submission, {"role": role.value})
    _touch(work, submission)


def answer(
    work: Work,
    submission: Submission,
    answers: Mapping[str, NewAnswer],
    *,
    reason_needed: bool = True,
    first: Sequence[MetadataSource] | None = None,
    carried: Collection[str] = (),
) -> list[Answer]:
    """Record answers. `first`: the metadata files of a submission that is being opened and has no answers yet. `carried`:
    questions whose offered answer, the champion's, is said to hold still.

    A value equal to the prefilled one confirms it; another one corrects it and needs a reason (a pipeline that gives none is
    recorded
    as such). A value equal to what the champion answered is recorded as carried over: only now it says something about this
    version.
    Raises `InvalidInput` naming each question that cannot be taken; then none of them is recorded.
    """
    assert work.caller.person is not None
    _, pack = work.policy(submission.kind)
    around = work.background(submission)
    if first is None:
        facts = facts_within(around, submission, sources=submission.sources.all(), answers=submission.answers.all())
    else:
        facts = facts_within(around, submission, sources=first, answers=())
    shown, offers = prefilled(facts), offered(facts, around.champion)
    answers, refused = with_carried(answers, carried, offers)
    values, problems = try_answers(pack, answers)
    problems = refused + problems
    rows = []
    for question, value in values.items():
        reason = "".join(char for char in answers[question].reason if char.isprintable() or char in "\n\t").strip()[:500]
        before, offer = shown.get(question), offers.get(question)
        if value is None:
            provenance = Provenance.UNKNOWN
        elif before is None and offer is not None and same(value, offer.value):
            provenance, reason = Provenance.CARRIED_OVER, f"Still holds, {offer.origin}."
        elif before is None:
            provenance, reason = Provenance.TYPED, ""
        elif same(value, before.value):
            provenance = Provenance.CONFIRMED
        else:
            provenance = Provenance.EDITED
            if not reason and not reason_needed:
                reason = "Sent by the pipeline without a reason."
            if not reason:
                problems.append(
                    FieldError(
                        f"/answers/{question}",
                        "reason_needed",
                        f"“{before.value}” was read from {before.origin}. Say why it is corrected.",
                    )
                )
        rows.append(
            Answer(
                submission=submission,
                question=question,
                value=value,
                provenance=provenance,
                replaced=before.value if before is not None and provenance is Provenance.EDITED else None,
                reason=reason if provenance in (Provenance.EDITED, Provenance.CARRIED_OVER) else "",
                by=work.caller.person,
            )
        )
    if problems:
        raise refused_answers(problems)
    made = Answer.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["submission", "question"],
        update_fields=["value", "provenance", "replaced", "reason", "by", "at"],
    )
    if first is None:  # who opens it is on record with that already
        contributes(submission, work.caller.person, "answered questions on it")
        _touch(work, submission)
    work.note(
        "submission.answered", submission, {"questions": sorted(values), "digest": digest({r.question: r.value for r in rows})}
    )
    return made


def discard_answer(work: Work, submission: Submission, question: str) -> None:
    """Take an answer back, so that the prefilled value (or nothing) stands again."""
    submission.answers.filter(question=question).delete()
    work.note("submission.answer_discarded", submission, {"question": question})
    _touch(work, submission)


def forget_confirmations(submission: Submission, facts: FactSet, answers: Collection[Answer]) -> list[Answer]:
    """Drop confirmations of what no file says any more, so that nobody is on record as having confirmed another value.

    Returns the answers that stand.
    """
    shown = prefilled(facts)
    kept = [answer for answer in answers if stands(answer, shown)]
    if gone := {answer.pk for answer in answers} - {answer.pk for answer in kept}:
        submission.answers.filter(pk__in=gone).delete()
    return kept


def names_once(sources: Sequence[NewSource]) -> None:
    """Raise `InvalidInput` where two metadata files sent together have the same name."""
    names = [source_name(source.name) for source in sources]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(
            f"Two metadata files are named {twice[0]}. The name tells them apart: give each its own.",
            code="name_twice",
            errors=(FieldError("/sources", "twice", f"Rename one of the files named {twice[0]}."),),
        )


def source_name(name: str) -> str:
    """The name a metadata file is kept under."""
    return clean_name(name)[:200]


def _may_edit(submission: Submission, person: Person) -> bool:
    return submission.submitter_id == person.pk or submission.contributors.filter(person=person).exists()


def contributes(submission: Submission, person: Person, why: str) -> None:
    """Put somebody on record as not to decide on this submission."""
    Contributor.objects.bulk_create([Contributor(submission=submission, person=person, why=why)], ignore_conflicts=True)


def _trained_by(submission: Submission, facts: Iterable[Fact]) -> None:
    """People whom the metadata names as having built the model may not decide on it."""
    names = {str(name).lower() for fact in facts if fact.name == "training.contributors" for name in fact.value or []}
    if not names:
        return
    why = "trained it, as the metadata says"
    found = [pk for pk, *known in _candidates(names) if names & {str(name).lower() for name in known}]
    rows = [Contributor(submission=submission, person_id=pk, why=why) for pk in found]
    Contributor.objects.bulk_create(rows, ignore_conflicts=True)


_CANDIDATES = """
SELECT id, username, email, known_as FROM governance_person WHERE is_active AND (
  lower(username COLLATE "C") = ANY(%(names)s) OR lower(email COLLATE "C") = ANY(%(names)s)
  OR lower(known_as::text COLLATE "C")::jsonb ?| %(names)s
  OR octet_length(username || email || known_as::text) - length(username || email || known_as::text) > 0)
"""


def _candidates(names: Collection[str]) -> Iterator[tuple[Any, ...]]:
    """Active people who may go by one of these names, as (id, names …): each condition has an index.

    Databases lower letters by their locale, so here they lower only ASCII ones; whoever has others is looked at in Python.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"names": sorted(names)})
        for pk, username, email, known_as in cursor.fetchall():
            yield pk, username, email, *json.loads(known_as)


def _touch(work: Work, submission: Submission) -> None:
    work.made.pop(submission.pk, None)
    Submission.objects.filter(pk=submission.pk).update(updated_at=Now())


@contextmanager
def changing(caller: Caller, submission_id: int) -> Iterator[tuple[Work, Submission]]:
    """A unit of work on a locked, editable submission: `with changing(caller, pk) as (work, submission):`."""
    with unit_of_work(caller) as work:
        yield work, editable_submission(caller=caller, submission_id=submission_id)
