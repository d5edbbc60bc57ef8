"""Questions, facts and their provenance, as the views show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.domain.decision_facts import (
    FactView,
    MissingQuestion,
    OfferedAnswer,
    ProvenanceView,
    QuestionCounts,
    QuestionView,
    StatementView,
)
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Provenance
from governance.models import Answer
from governance.policy import Pack, asked
from governance.selectors.facts import prefilled

_PERSON = re.compile(r"(?:by )?person:(\d+)(?:/token:\d+)?")


@dataclass(frozen=True)
class Questionnaire:
    """The questionnaire of a submission as it was answered."""

    counts: QuestionCounts
    answers: tuple[QuestionView, ...]


def questionnaire_view(
    pack: Pack | None,
    facts: FactSet,
    answers: Iterable[Answer],
    names: Mapping[int, str],
    offers: Mapping[str, Fact] | None = None,
) -> Questionnaire:
    """Every question that has a point, with the value that stands and where it comes from.

    `offers`: the champion's answers. One counts as open, and is listed, as long as nothing else answers its question.
    """
    if pack is None or pack.questionnaire is None:
        return Questionnaire(QuestionCounts(0, 0, 0, ()), ())
    shown, said, conflicts = prefilled(facts), {answer.question: answer for answer in answers}, facts.conflicts()
    topics = {topic.id: topic.title for topic in pack.questionnaire.topics}
    typed = {fact.name for fact in facts if fact.origin == "answer"}  # of a preview: there are no rows of answers
    rows, missing, offered, from_files, by_people = [], [], [], 0, 0
    for question in asked(pack.questionnaire, facts):
        answer, fact = said.get(question.id), shown.get(question.id)
        own = answer is not None and answer.provenance != Provenance.CONFIRMED
        if own and answer is not None and answer.provenance != Provenance.CARRIED_OVER:
            by_people += 1
        elif own or fact is not None:
            from_files += 1
        elif answer is None and question.id in typed:
            by_people += 1
        else:
            if question.required:
                missing.append(MissingQuestion(question.id, question.ask, question.why))
            if (offer := (offers or {}).get(question.id)) is not None:
                offered.append(OfferedAnswer(question.id, question.ask, offer.value, offer.origin, offer.locator))
        rows.append(
            QuestionView(
                id=question.id,
                topic=topics[question.topic],
                ask=question.ask,
                why=question.why,
                value=answer.value if own and answer is not None else fact.value if fact is not None else None,
                answered=own or fact is not None,
                material=question.material,
                conflict=question.id in conflicts,
                provenance=_of_answer(answer, fact, names),
            )
        )
    total = from_files + by_people + len(missing)
    return Questionnaire(QuestionCounts(total, from_files, by_people, tuple(missing), tuple(offered)), tuple(rows))


def fact_views(facts: FactSet, pack: Pack | None, names: Mapping[int, str]) -> tuple[FactView, ...]:
    """Every fact with every statement about it, those that sources disagree about first. `names`: of people, by id."""
    labels = {q.id: q.ask for q in pack.questionnaire.questions} if pack is not None and pack.questionnaire is not None else {}
    conflicts = facts.conflicts()
    views = [
        FactView(
            name,
            labels.get(name, ""),
            name in conflicts,
            tuple(StatementView(row.value, provenance_of(row, names)) for row in rows),
        )
        for name, rows in facts.by_name.items()
    ]
    return tuple(sorted(views, key=lambda view: (not view.conflict, view.name)))


def provenance_of(fact: Fact, names: Mapping[int, str]) -> ProvenanceView:
    """Where a statement comes from. Stored facts hold no names, so the person behind an answer is looked up here."""
    kind = Provenance.TYPED if fact.assurance is Assurance.DECLARED else Provenance.PREFILLED
    origin, locator, by = fact.origin, fact.locator, ""
    if (found := _PERSON.fullmatch(locator)) is not None:
        origin, locator, by = "", "", names.get(int(found[1]), "somebody")
    return ProvenanceView(kind.value, int(fact.assurance), fact.assurance.label, origin, locator, fact.digest, by=by)


def _of_answer(answer: Answer | None, fact: Fact | None, names: Mapping[int, str]) -> ProvenanceView | None:
    if answer is None:
        return provenance_of(fact, names) if fact is not None else None
    assurance = fact.assurance if fact is not None else Assurance.DECLARED
    origin: dict[str, Any] = (
        {"origin": fact.origin, "locator": fact.locator, "digest": fact.digest}
        if fact is not None
        else {"origin": "", "locator": ""}
    )
    return ProvenanceView(
        kind=answer.provenance,
        assurance=int(assurance),
        assurance_label=assurance.label,
        **origin,
        by=names.get(answer.by_id, "somebody"),
        at=answer.at,
        reason=answer.reason,
        replaced=answer.replaced,
    )
