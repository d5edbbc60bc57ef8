"""Questions of a pack as fields of a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from governance.domain.storable import unstorable
from governance.domain.vocabulary import Provenance
from governance.policy import Question
from governance.policy.questionnaire import MONITOR_KINDS
from governance.selectors.drafts import QuestionState
from governance.ui.draft_context import provenance_of
from governance.ui.fields import UNKNOWN, FieldView, Option

_KINDS = {
    "choice": "radio",
    "bool": "yes_no",
    "number": "number",
    "int": "number",
    "text": "text",
    "date": "date",
    "list": "text",
    "monitors": "checkboxes",
}
_LONG = frozenset({"business.context", "model.limitations"})


@dataclass(frozen=True)
class Asked:
    """A question as shown: its field, and the field for the reason when a prefilled value is corrected."""

    question: Question
    field: FieldView
    reason: FieldView | None


def asked_fields(states: Sequence[QuestionState], sent: QueryDict | None, errors: Mapping[str, str]) -> list[Asked]:
    """One `Asked` per question; `sent` shows again what was typed when something was wrong."""
    return [_asked(state, sent, errors.get(state.question.id, "")) for state in states]


def sent_value(question: Question, post: QueryDict) -> Any:
    """What the page sent for a question: text, list, UNKNOWN, or "" for nothing."""
    name = question.id
    if post.get(f"{name}__unknown") or post.get(name) == UNKNOWN:
        return UNKNOWN
    if _kind(question) == "checkboxes":
        chosen: list[Any] = post.getlist(name)
        return [_decoded(item) for item in chosen]
    return post.get(name, "").strip()


def _kind(question: Question) -> str:
    if question.type == "list" and question.choices:
        return "checkboxes"
    return "textarea" if question.id in _LONG else _KINDS[question.type]


def _decoded(item: str) -> Any:
    """A monitor that came from metadata as an object travels as JSON, so that confirming it loses nothing."""
    if not item.startswith("{"):
        return item
    try:
        found = json.loads(item)
    except (ValueError, RecursionError):
        return item
    return item if unstorable(found) else found


def _asked(state: QuestionState, sent: QueryDict | None, error: str) -> Asked:
    question = state.question
    kind = _kind(question)
    value: Any = state.value
    unknown = state.answer is not None and state.answer.provenance == Provenance.UNKNOWN
    if sent is not None:
        raw = sent_value(question, sent)
        unknown, value = raw == UNKNOWN, None if raw == UNKNOWN else raw
    options = [Option(choice.value, choice.label, choice.hint) for choice in question.choices]
    if question.type == "monitors":
        options = [Option(json.dumps({"kind": name}), name.replace("_", " ").capitalize()) for name in MONITOR_KINDS]
    if kind == "checkboxes":
        value = [json.dumps(item, sort_keys=True) if isinstance(item, dict) else str(item) for item in value or []]
        known = {option.value for option in options}
        options += [Option(item, _monitor_label(item)) for item in value if item not in known]
    elif kind == "yes_no" and isinstance(value, bool):
        value = "true" if value else "false"
    hint = f"{question.good} For example: {question.example.removesuffix('.')}." + (
        " Separate several with commas." if question.type == "list" else ""
    )
    field = FieldView(
        name=question.id,
        label=question.ask,
        kind=kind,
        value="" if value is None else value,
        options=options,
        why=question.why,
        hint=hint.strip(),
        error=error,
        unknown=True,
        unknown_chosen=unknown,
        optional=not question.required,
        provenance=provenance_of(state),
        learn=f"/learn/questions/{question.id}",
    )
    reason = None
    if state.shown is not None:
        typed = sent.get(f"{question.id}__reason", "") if sent is not None else state.answer.reason if state.answer else ""
        reason = FieldView(
            name=f"{question.id}__reason",
            label="Why is it different?",
            hint=f"Only when you correct what was read: {_short(state.shown.value)}.",
            value=typed,
            optional=True,
        )
    return Asked(question, field, reason)


def _monitor_label(item: str) -> str:
    monitor = _decoded(item)
    if not isinstance(monitor, dict):
        return item.replace("_", " ")
    more = ", ".join(f"{key} {_short(value)}" for key, value in monitor.items() if key != "kind")
    return f"{str(monitor.get('kind', 'monitor')).replace('_', ' ')} ({more})" if more else str(monitor.get("kind"))


def _short(value: Any) -> str:
    text = (
        ", ".join(map(str, value))
        if isinstance(value, list)
        else "yes"
        if value is True
        else "no"
        if value is False
        else str(value)
    )
    return text if len(text) <= 80 else text[:77] + "…"
