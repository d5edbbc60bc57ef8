"""A working copy with everything its pages show: topics, what is filled and from where, what is missing, the track so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from governance.domain.errors import NotFound
from governance.domain.facts import Fact
from governance.domain.incoming import NewAnswer
from governance.domain.vocabulary import Provenance
from governance.models import Answer, Evidence, MetadataSource, Submission
from governance.policy import Question
from governance.selectors.access import Caller, visible
from governance.selectors.facts import prefilled, stands
from governance.selectors.previewing import Preview, preview_draft


@dataclass(frozen=True)
class QuestionState:
    """One question as the working copy has it.

    `shown`: the statement a source made; `answer`: what a person said; `offer`: what the champion answered, which says nothing
    about
    this version until a person confirms it. Each may be missing.
    """

    question: Question
    shown: Fact | None
    answer: Answer | None
    offer: Fact | None = None

    @property
    def answered(self) -> bool:
        """A value is known, or a person said that it is not."""
        return self.answer is not None or self.shown is not None

    @property
    def known(self) -> bool:
        return self.value is not None

    @property
    def value(self) -> Any:
        if self.answer is not None and self.answer.provenance != Provenance.CONFIRMED:
            return self.answer.value
        spoken = self.shown or self.offer
        return spoken.value if spoken is not None else None


@dataclass(frozen=True)
class Topic:
    """One page of the questionnaire."""

    slug: str
    title: str
    questions: tuple[QuestionState, ...]

    @property
    def total(self) -> int:
        return len(self.questions)

    @property
    def filled(self) -> int:
        return sum(state.answered for state in self.questions)

    @property
    def left(self) -> int:
        return sum(not state.answered and state.question.required for state in self.questions)


@dataclass(frozen=True)
class Draft:
    """A submission's working copy."""

    submission: Submission
    preview: Preview
    sources: tuple[MetadataSource, ...]
    evidence: tuple[Evidence, ...]
    answers: Mapping[str, Answer]

    @cached_property
    def states(self) -> tuple[QuestionState, ...]:
        shown = prefilled(self.preview.facts)
        said = {name: answer for name, answer in self.answers.items() if stands(answer, shown)}
        return tuple(
            QuestionState(q, shown.get(q.id), said.get(q.id), self.preview.offers.get(q.id)) for q in self.preview.questions
        )

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        titles = {topic.id: topic.title for topic in self.preview.pack.form.topics}
        grouped: dict[str, list[QuestionState]] = {}
        for state in self.states:
            grouped.setdefault(state.question.topic, []).append(state)
        return tuple(Topic(slug, titles[slug], tuple(grouped[slug])) for slug in titles if slug in grouped)

    @property
    def preview_count(self) -> int:
        """Questions that a source, a register, a derivation or the champion filled."""
        return sum(state.shown is not None or state.offer is not None for state in self.states)

    @cached_property
    def missing_evidence(self) -> tuple[dict[str, str], ...]:
        return self.preview.missing_evidence


def draft_of(*, caller: Caller, submission_id: int, typed: Mapping[str, NewAnswer] | None = None) -> Draft:
    """The working copy, for whoever may see it. Raises `NotFound`."""
    rows = Submission.objects.select_related("system__owner", "version", "submitter", "unit").prefetch_related(
        "sources", "answers__by", "evidence__file"
    )
    submission = visible(rows, caller).filter(pk=submission_id).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{submission_id} in your business unit.")
    return Draft(
        submission=submission,
        preview=preview_draft(submission, typed=typed),
        sources=tuple(submission.sources.all()),
        evidence=tuple(submission.evidence.all()),
        answers={answer.question: answer for answer in submission.answers.all()},
    )
