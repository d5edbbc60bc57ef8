"""What a person hands in with a decision, and whether it says enough to be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from gates.models import GateOutcome
from governance.domain.errors import FieldError, InvalidInput, ReauthenticationNeeded
from governance.domain.freshness import fresh
from governance.domain.vocabulary import DecisionKind, Role, Severity
from reviews.selectors.readings import needs_reading

LONGEST_REVIEW = 365
"""Days after which a remaining risk is looked at again, at the latest."""
APPROVING = frozenset({DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS})


@dataclass(frozen=True)
class NewChange:
    """A requested change: about one gate or one question, what is asked, and what would be good enough."""

    asks: str
    good_enough: str
    about_gate: str = ""
    about_question: str = ""


@dataclass(frozen=True)
class NewCondition:
    """Something an approval requires. `owner`: id of the person who sees to it."""

    text: str
    owner: int
    due_on: date
    if_missed: str = "The permit is revoked."


@dataclass(frozen=True)
class NewCheck:
    """The answer to one item of the step's checklist: yes, no or not_applicable, the last with a note that says why."""

    answer: str
    note: str = ""


@dataclass(frozen=True)
class NewDecision:
    """Everything a person says with a decision.

    `comment`: what was looked at; `rationale`: why it is decided so; `alternatives`: what else was considered.
    """

    kind: DecisionKind
    comment: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[NewCondition, ...] = ()
    change_items: tuple[NewChange, ...] = ()
    rationale: str = ""
    alternatives: str = ""
    checks: Mapping[str, NewCheck] = field(default_factory=dict)
    residual_risk: str = ""
    residual_level: str = ""
    residual_plan: str = ""
    residual_review_on: date | None = None
    accepted_instead: str = ""
    reauthenticated_at: datetime | None = None
    shown_at: datetime | None = None

    @property
    def approves(self) -> bool:
        return self.kind in APPROVING


def check_decision(
    new: NewDecision,
    *,
    role: Role,
    outcomes: Iterable[GateOutcome],
    read_by: Mapping[str, str],
    questions: Iterable[str],
    others_readings: Iterable[str],
    owners: Iterable[int],
    now: datetime,
    checklist: Iterable[Mapping[str, Any]] = (),
    in_full: bool = False,
) -> None:
    """Raise `InvalidInput` naming every field that does not say enough, or `ReauthenticationNeeded` for a stale sign-in.

    `others_readings`: what other people wrote on this case before; `owners`: people who can own a condition.
    `checklist`: what the step asks with an approval; `in_full`: an approval says what was looked at, why, and what else was
    considered.
    """
    outcomes = tuple(outcomes)
    problems: list[FieldError] = []
    if new.approves:
        problems += _readings(
            new, [o for o in outcomes if needs_reading(o, role, read_by)], outcomes, set(map(_plain, others_readings))
        )
        problems += _checks(new, checklist)
        problems += _in_full(new) if in_full else []
    if new.kind is DecisionKind.APPROVE_WITH_CONDITIONS:
        problems += _conditions(new, set(owners), now.date())
    if new.kind is DecisionKind.APPROVE and new.conditions:
        problems.append(FieldError("/conditions", "unexpected", "An approval with conditions is “approve_with_conditions”."))
    if new.kind is DecisionKind.REQUEST_CHANGES:
        problems += _change_items(new, {o.code for o in outcomes}, set(questions))
    if new.kind is DecisionKind.REJECT:
        problems += _rejection(new)
    if role is Role.RISK_OFFICER and new.approves:
        problems += _residual(new, now.date())
    if problems:
        raise InvalidInput(
            "The decision was not recorded: " + " ".join(p.detail for p in problems),
            code="decision_incomplete",
            errors=tuple(problems),
        )
    if role is Role.RISK_OFFICER and not fresh(new.reauthenticated_at, now):
        raise ReauthenticationNeeded(
            "A risk sign-off is a signature. Confirm it is you, then sign within five minutes; what you typed is kept."
        )


def _readings(
    new: NewDecision, needed: list[GateOutcome], outcomes: tuple[GateOutcome, ...], others: set[str]
) -> list[FieldError]:
    problems = []
    gate_words = {_plain(text) for o in outcomes for text in (o.says, o.fix, o.name, *o.notes) if text}
    seen: dict[str, str] = {}
    for outcome in needed:
        pointer, text = f"/readings/{outcome.code}", new.readings.get(outcome.code, "")
        plain = _plain(text)
        if not says_something(text, 20):
            problems.append(
                FieldError(
                    pointer,
                    "missing",
                    f"{outcome.code} {outcome.name} is {outcome.verdict.replace('_', ' ')}: write what you make of it.",
                )
            )
        elif plain in gate_words or any(len(words) > 20 and plain in words for words in gate_words):
            problems.append(
                FieldError(
                    pointer,
                    "copied",
                    f"Your reading of {outcome.code} repeats what the gate says. Write what it means for this case.",
                )
            )
        elif plain in seen:
            problems.append(
                FieldError(
                    pointer,
                    "copied",
                    f"The same words stand at {seen[plain]} and {outcome.code}. Each gate needs its own reading.",
                )
            )
        elif plain in others:
            problems.append(
                FieldError(pointer, "copied", f"Your reading of {outcome.code} repeats another reviewer's. Write your own.")
            )
        seen.setdefault(plain, outcome.code)
    return problems


def _checks(new: NewDecision, checklist: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Every item of the checklist stands at yes, or does not apply for a reason; with a “no” nobody approves."""
    problems = []
    for item in checklist:
        given = new.checks.get(item["id"], NewCheck(""))
        pointer, asks = f"/checks/{item['id']}", f"“{item['asks']}”"
        if given.answer == "no":
            problems.append(FieldError(pointer, "no", f"You answered no to {asks}. Request changes instead of approving."))
        elif given.answer == "not_applicable":
            if not says_something(given.note, 10):
                problems.append(FieldError(pointer, "missing", f"Say why this does not apply here: {asks}"))
        elif given.answer != "yes":
            problems.append(FieldError(pointer, "missing", f"Answer {asks}"))
    return problems


def _in_full(new: NewDecision) -> list[FieldError]:
    wanted = (
        ("comment", new.comment, "Say what you looked at and what you found."),
        ("rationale", new.rationale, "Say why you decide so."),
        (
            "alternatives",
            new.alternatives,
            "Say what else was considered, such as keeping the champion, and why it was not chosen.",
        ),
    )
    return [FieldError(f"/{name}", "missing", words) for name, text, words in wanted if not says_something(text, 20)]


def _residual(new: NewDecision, today: date) -> list[FieldError]:
    problems = []
    if not says_something(new.residual_risk, 20):
        problems.append(FieldError("/residual_risk", "missing", "Say in words what risk remains and why it is acceptable."))
    if new.residual_level not in {level.value for level in Severity}:
        words = ", ".join(level.value for level in Severity)
        problems.append(FieldError("/residual_level", "missing", f"Say how large the remaining risk is: {words}."))
    if not says_something(new.residual_plan, 20):
        problems.append(FieldError("/residual_plan", "missing", "Say what is done about the remaining risk, and by whom."))
    until = today + timedelta(days=LONGEST_REVIEW)
    if new.residual_review_on is None or not today < new.residual_review_on <= until:
        problems.append(
            FieldError(
                "/residual_review_on", "missing", f"Say when the risk is looked at again: a day to come, by {until:%d %B %Y}."
            )
        )
    return problems


def _conditions(new: NewDecision, owners: set[int], today: date) -> list[FieldError]:
    if not new.conditions:
        return [FieldError("/conditions", "missing", "Name at least one condition, with owner and due date; or approve without.")]
    problems = []
    for index, condition in enumerate(new.conditions):
        if not says_something(condition.text, 10):
            problems.append(FieldError(f"/conditions/{index}/text", "missing", "Say what has to be done."))
        if condition.owner not in owners:
            problems.append(FieldError(f"/conditions/{index}/owner", "unknown", "Choose somebody of this business unit."))
        if condition.due_on <= today:
            problems.append(FieldError(f"/conditions/{index}/due_on", "past", "The due date has to be in the future."))
    return problems


def _change_items(new: NewDecision, codes: set[str], questions: set[str]) -> list[FieldError]:
    if not new.change_items:
        return [
            FieldError(
                "/change_items",
                "missing",
                "List what has to change: each item about one gate or one question, with what good enough looks like.",
            )
        ]
    problems = []
    for index, item in enumerate(new.change_items):
        at = f"/change_items/{index}"
        if bool(item.about_gate) == bool(item.about_question):
            problems.append(
                FieldError(at, "unbound", "Bind the item to one gate or one question, so that the submitter knows where to act.")
            )
        elif item.about_gate and item.about_gate not in codes:
            problems.append(FieldError(f"{at}/about_gate", "unknown", f"There is no gate {item.about_gate} on this case."))
        elif item.about_question and item.about_question not in questions:
            problems.append(
                FieldError(
                    f"{at}/about_question", "unknown", f"There is no question {item.about_question} in this questionnaire."
                )
            )
        if not says_something(item.asks, 10):
            problems.append(FieldError(f"{at}/asks", "missing", "Say what has to change."))
        if not says_something(item.good_enough, 10):
            problems.append(FieldError(f"{at}/good_enough", "missing", "Say what would be good enough."))
    return problems


def _rejection(new: NewDecision) -> list[FieldError]:
    problems = []
    if not says_something(new.comment, 20):
        problems.append(FieldError("/comment", "missing", "Say why the version is rejected."))
    if not says_something(new.accepted_instead, 20):
        problems.append(FieldError("/accepted_instead", "missing", "Say what would be accepted instead."))
    return problems


def says_something(text: str, least: int) -> bool:
    """At least `least` characters, and at least two different words: no row of dots, no single word repeated."""
    return len(text.strip()) >= least and len(set(re.findall(r"\w{2,}", text.lower()))) >= 2


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
