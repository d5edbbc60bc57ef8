"""The facts of a submission: read from files, answered, known to the registers, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.domain.facts import Fact, FactSet, same
from governance.domain.vocabulary import Assurance, Provenance
from governance.models import Answer, MetadataSource, Submission
from governance.policy import Pack
from governance.prefill.carry_over import carry_over
from governance.prefill.derive import derive
from governance.selectors.champions import Champion, champion_of, earlier_change, strictest_recent_track
from governance.selectors.surroundings import Registers, Seen, seen_around


def answer_fact(question: str, value: object, person_reference: str) -> Fact:
    """An answer as a declared fact."""
    return Fact(question, value, Assurance.DECLARED, "answer", f"by {person_reference}")


@dataclass(frozen=True)
class Background:
    """What stands around a working copy and that changing it does not alter: read once in a transaction."""

    champion: Champion | None
    registers: Registers
    remembered: tuple[Fact, ...]
    nothing_before: bool = False
    frozen: bool = False


def background_of(submission: Submission) -> Background:
    """The version in force, the unit's registers, and what happened before: one query, and more only for what there is."""
    seen = _seen(submission)
    champion = None
    if seen.in_force:
        champion = champion_of(system_id=submission.system_id, environment=submission.environment, before=submission.pk)
    return _background(submission, seen, champion)


def background_with(submission: Submission, champion: Champion | None) -> Background:
    """The same around a champion that is known already."""
    return _background(submission, _seen(submission), champion)


def _background(submission: Submission, seen: Seen, champion: Champion | None) -> Background:
    first = champion is None and not seen.was_there
    return Background(champion, seen.registers, tuple(remembered(submission, seen)), first, seen.frozen)


def _seen(submission: Submission) -> Seen:
    return seen_around(
        unit_id=submission.unit_id,
        system_id=submission.system_id,
        environment=submission.environment,
        version_id=submission.version_id,
        before=submission.pk,
    )


def facts_of(submission: Submission, champion: Champion | None) -> FactSet:
    """Every fact of the working copy, derived ones included."""
    around = background_with(submission, champion)
    return facts_within(around, submission, sources=submission.sources.all(), answers=submission.answers.all())


def facts_within(
    around: Background, submission: Submission, *, sources: Iterable[MetadataSource], answers: Iterable[Answer]
) -> FactSet:
    """The same from rows already loaded. No queries."""
    read = [Fact.from_json(row) for source in sources for row in source.facts]
    typed = [
        answer_fact(answer.question, answer.value, f"person:{answer.by_id}")
        for answer in answers
        if answer.provenance != Provenance.CONFIRMED
    ]
    known = [*register_facts(submission), *around.remembered]
    return complete(
        [*read, *typed, *known],
        champion=around.champion,
        registers=around.registers,
        nothing_before=around.nothing_before,
    )


def complete(facts: Iterable[Fact], *, champion: Champion | None, registers: Registers, nothing_before: bool = False) -> FactSet:
    """Add what follows from the given facts, the champion and the registers."""
    base = FactSet.of(facts)
    derived = derive(
        base,
        champion=champion.facts if champion else None,
        champion_version=champion.version if champion else None,
        approved_sources=registers.sources,
        approved_features=registers.features,
        approvals=registers.approvals,
        nothing_before=nothing_before,
        entries=registers.entries,
    )
    return base.with_facts(derived)


def register_facts(submission: Submission) -> list[Fact]:
    """What the inventory knows of the system."""
    system, origin = submission.system, f"inventory:{submission.system.slug}"
    facts = [Fact("system.slug", system.slug, Assurance.REGISTRY, origin, "slug")]
    if system.owner_id is not None:
        facts.append(Fact("system.owner", system.owner.name if system.owner else None, Assurance.REGISTRY, origin, "owner"))
    if system.purpose:
        facts.append(Fact("business.context", system.purpose, Assurance.REGISTRY, origin, "purpose"))
    return facts


def remembered(submission: Submission, seen: Seen) -> list[Fact]:
    """What happened before: the strictest recent track of this build, and the change since people last looked."""
    facts = []
    if seen.same_build and (recent := strictest_recent_track(submission)):
        facts.append(recent)
    change = 0.0
    if seen.green_chain:
        change = earlier_change(system_id=submission.system_id, environment=submission.environment)
    if change:
        facts.append(
            Fact(
                "performance.earlier_change",
                change,
                Assurance.REGISTRY,
                "approved versions",
                "compounded since people last reviewed",
            )
        )
    return facts


def prefilled(facts: FactSet) -> dict[str, Fact]:
    """For each question that something other than a person's answer speaks about: the statement to show."""
    found = {}
    for name, rows in facts.by_name.items():
        spoken = [fact for fact in rows if fact.origin != "answer" and fact.known]
        if spoken:
            found[name] = spoken[0]
    return found


def offered(facts: FactSet, champion: Champion | None) -> dict[str, Fact]:
    """The champion's answers that nothing else speaks about: shown as carried over, and no fact until a person says they still
    hold."""
    if champion is None:
        return {}
    unanswered = FactSet.of(fact for fact in facts if fact.origin != "answer")
    return {fact.name: fact for fact in carry_over(unanswered, champion.facts, champion.version)}


def stands(answer: Answer, shown: Mapping[str, Fact]) -> bool:
    """Whether an answer still says something: a confirmation ends when what was confirmed is gone or says something else by
    now."""
    if answer.provenance != Provenance.CONFIRMED:
        return True
    now = shown.get(answer.question)
    return now is not None and same(answer.value, now.value)


def pending_collectors(pack: Pack) -> frozenset[str]:
    """Everything the pack's gates will measure: before that a rule waits for its measurement instead of raising the track.

    Nothing is approved on a provisional track; the final evaluation is made without this.
    """
    return frozenset(pack.measured)
