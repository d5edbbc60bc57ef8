"""The same rules before anything is handed in: reads, evaluates, records nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from governance.domain.errors import Conflict
from governance.domain.facts import Fact, FactSet
from governance.domain.incoming import NewAnswer, NewSubmission
from governance.domain.vocabulary import Role, Scope, Severity
from governance.models import FreezeWindow, PolicyPack, Submission, System
from governance.policy import Advice, Assessment, Pack, Question, WayOut, advice, asked, evaluate, missing, what_would_change
from governance.prefill.reading import read_source
from governance.prefill.source import Problem
from governance.selectors.access import Caller
from governance.selectors.answers import parsed_answers, refused_answers, with_carried
from governance.selectors.champions import Champion, champion_of
from governance.selectors.envelopes import Judged, judged_now
from governance.selectors.evidence import stored_source
from governance.selectors.facts import answer_fact, background_of, complete, facts_within, offered, pending_collectors
from governance.selectors.freezes import freeze_of, in_force, in_words
from governance.selectors.policy import pack_in_force, require_kind
from governance.selectors.surroundings import seen_around


@dataclass(frozen=True)
class Preview:
    """What the policy says of facts as they stand, with what is still to be said and handed in."""

    policy: PolicyPack
    pack: Pack
    facts: FactSet
    pending: frozenset[str]
    assessment: Assessment
    ways: tuple[WayOut, ...]
    advice: tuple[Advice, ...]
    questions: tuple[Question, ...]
    missing: tuple[Question, ...]
    evidence_roles: frozenset[str]
    champion_version: str | None
    champion_submission: int | None
    problems: tuple[Problem, ...] = ()
    offers: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def missing_evidence(self) -> tuple[dict[str, str], ...]:
        """Roles that the gates of the track need and nobody handed in, with why."""
        return missing_evidence(self.assessment, self.evidence_roles)


def preview_new(*, caller: Caller, unit_id: int, new: NewSubmission) -> Preview:
    """Judge a submission that does not exist. Raises `InvalidInput` for answers or evidence that cannot be taken."""
    caller.require_scope(Scope.SUBMIT)
    caller.require_role(unit_id, Role.SUBMITTER)
    try:
        policy, pack = pack_in_force(new.kind)
    except Conflict:
        require_kind(new.kind)
        raise
    system = System.objects.filter(unit_id=unit_id, slug=new.system).first()
    seen = seen_around(unit_id=unit_id, system_id=system.pk if system else None, environment=new.environment)
    champion = champion_of(system_id=system.pk, environment=new.environment) if system and seen.in_force else None
    facts: list[Fact] = []
    problems: list[Problem] = []
    for source in new.sources:
        content = source.content if source.content is not None else stored_source(unit_id, source.sha256)
        reading = read_source(source.name, content)
        facts += reading.facts
        problems += reading.problems
    first = champion is None and not seen.was_there
    registers = seen.registers
    answers: Mapping[str, NewAnswer] = new.answers
    if new.carried:
        read = complete(facts, champion=champion, registers=registers, nothing_before=first)
        answers, refused = with_carried(new.answers, new.carried, offered(read, champion))
        if refused:
            raise refused_answers(refused)
    values = parsed_answers(pack, answers)
    facts += [answer_fact(question, value, caller.reference) for question, value in values.items()]
    found = complete(facts, champion=champion, registers=registers, nothing_before=first)
    roles = frozenset(item.role.value for item in new.evidence)
    people = {caller.person.pk} if caller.person is not None else set[int]()
    judged = judged_now(pack, found, system_id=system.pk if system else None, environment=new.environment, people=people)
    frozen = in_force(unit_id=unit_id, kind=new.kind, environment=new.environment).first() if seen.frozen else None
    return _preview(policy, pack, judged, roles, champion, tuple(problems), frozen)


def preview_draft(submission: Submission, *, typed: Mapping[str, NewAnswer] | None = None) -> Preview:
    """Judge the working copy as it stands, with what is being typed right now on top."""
    policy, pack = pack_in_force(submission.kind)
    around = background_of(submission)
    champion = around.champion
    facts = facts_within(around, submission, sources=submission.sources.all(), answers=submission.answers.all())
    if typed:
        values = parsed_answers(pack, typed, lenient=True)
        kept = [fact for fact in facts if not (fact.origin == "answer" and fact.name in values)]
        spoken = [answer_fact(question, value, "now") for question, value in values.items()]
        facts = complete(
            [*(f for f in kept if f.origin != "derived"), *spoken],
            champion=champion,
            registers=around.registers,
            nothing_before=around.nothing_before,
        )
    roles = frozenset(submission.evidence.values_list("role", flat=True))
    judged = judged_now(pack, facts, system_id=submission.system_id, environment=submission.environment, submission=submission)
    frozen = freeze_of(submission) if around.frozen else None
    return _preview(policy, pack, judged, roles, champion, (), frozen)


def missing_evidence(assessment: Assessment, roles: Collection[str]) -> tuple[dict[str, str], ...]:
    """Roles that the gates of an assessment need and that are not among `roles`."""
    needed: dict[str, str] = {}
    for gate in assessment.gates:
        for role, why in gate.needs.items():
            if role not in roles:
                needed.setdefault(str(role), why)
    return tuple({"role": role, "why": why} for role, why in needed.items())


def _of_freeze(row: FreezeWindow) -> Advice:
    """That nothing is released now, said before anybody waits for it."""
    told = in_words(row)
    return Advice("FREEZE", Severity.MEDIUM, told.says, "release", told.fix, "/freezes", "freeze", row.number)


def _preview(
    policy: PolicyPack,
    pack: Pack,
    judged: Judged,
    roles: Collection[str],
    champion: Champion | None,
    problems: tuple[Problem, ...],
    frozen: FreezeWindow | None,
) -> Preview:
    pending = pending_collectors(pack)
    facts = judged.facts
    assessment = evaluate(pack, facts, pending=pending, envelope=judged.envelope)
    return Preview(
        policy=policy,
        pack=pack,
        facts=facts,
        pending=pending,
        assessment=assessment,
        ways=what_would_change(pack, facts, assessment, pending=pending),
        advice=(*advice(pack, facts, assessment), *([_of_freeze(frozen)] if frozen is not None else [])),
        questions=asked(pack.form, facts),
        missing=missing(pack.form, facts),
        evidence_roles=frozenset(roles),
        champion_version=champion.version if champion else None,
        champion_submission=champion.submission.pk if champion else None,
        problems=problems,
        offers=offered(facts, champion),
    )
