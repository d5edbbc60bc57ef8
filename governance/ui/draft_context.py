"""What every page of a draft shows beside its own content: the steps, the track so far, advice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from governance.domain.vocabulary import EDITABLE_STATES, EvidenceRole, Provenance, State
from governance.policy import headline
from governance.policy.advice import Advice
from governance.selectors.conflicts import told_with
from governance.selectors.drafts import Draft, QuestionState
from governance.ui.fields import FieldView

CONFIRMED_BESIDE = frozenset({"data.pii_approval"})
"""Questions whose answer can be given where an advice asks for it; the others lead to their page."""


def frame(draft: Draft) -> dict[str, Any]:
    """Context of the draft frame and of the live track panel."""
    submission = draft.submission
    return {
        "draft": draft,
        "submission": submission,
        "is_revision": submission.revision > 0,
        **panel(draft),
    }


def panel(draft: Draft) -> dict[str, Any]:
    """Context of `_draft_track.html` alone."""
    preview, pk = draft.preview, draft.submission.pk
    topics = {question.id: question.topic for question in preview.questions}
    return {
        "submission": draft.submission,
        "track": preview.assessment.track,
        "sentence": headline(preview.assessment),
        "reasons": told_with(preview.pack.name, [hit.to_json() for hit in preview.assessment.hits]),
        "held": [row.to_json() for row in preview.assessment.checked if row.status == "held"],
        "pending": [row.to_json() for row in preview.assessment.pending],
        "would_change": [way.to_json() for way in preview.ways],
        "steps": preview.assessment.steps,
        "advice": [_advised(pk, item, topics) for item in preview.advice],
        "editable": State(draft.submission.state) in EDITABLE_STATES,
        "missing_count": len(preview.missing),
        "open_questions": [
            {"ask": question.ask, "href": _question_href(pk, question.id, question.topic)} for question in preview.missing
        ],
        "policy": preview.policy,
    }


def _question_href(pk: int, name: str, topic: str) -> str:
    return f"{reverse('draft_topic', args=[pk, topic])}?return=check#{FieldView(name, '').html_id}"


def _advised(pk: int, item: Advice, topics: Mapping[str, str]) -> dict[str, Any]:
    """An advice with what can be done about it here: confirm it on the spot, or go to its question."""
    asked = item.asks if item.asks in topics else ""
    return {
        "says": item.says,
        "fix": item.fix,
        "learn": item.learn,
        "confirm": asked if asked in CONFIRMED_BESIDE else "",
        "href": _question_href(pk, asked, topics[asked]) if asked and asked not in CONFIRMED_BESIDE else "",
    }


def provenance_of(state: QuestionState) -> dict[str, Any] | None:
    """The chip that says where a value comes from."""
    if state.answer is not None:
        kind = state.answer.provenance
        chip: dict[str, Any] = {"kind": kind, "by": state.answer.by.name, "at": state.answer.at, "reason": state.answer.reason}
        if kind == Provenance.CONFIRMED and state.shown is not None:
            chip |= {"origin": state.shown.origin, "locator": state.shown.locator}
        return chip
    if state.shown is not None:
        return {"kind": Provenance.PREFILLED, "origin": state.shown.origin, "locator": state.shown.locator}
    if state.offer is not None:
        return {"kind": Provenance.CARRIED_OVER, "origin": state.offer.origin.removeprefix("carried over "), "locator": ""}
    return None


def evidence_rows(draft: Draft) -> list[dict[str, Any]]:
    """Each role: what is attached, or why it is needed and what follows without it."""
    attached = {item.role: item for item in draft.evidence}
    needed = {row["role"]: row["why"] for row in draft.missing_evidence}
    rows = []
    for role in EvidenceRole:
        item = attached.get(role.value)
        if item is None and role.value not in needed:
            continue
        rows.append(
            {
                "role": role.value,
                "title": role.value.replace("_", " ").capitalize(),
                "item": item,
                "why": needed.get(role.value, ""),
                "columns": ", ".join(f"{k}: {v if isinstance(v, str) else ', '.join(v)}" for k, v in item.columns.items())
                if item
                else "",
                "drop": reverse("draft_drop_evidence", args=[draft.submission.pk, role.value]) if item else "",
            }
        )
    return rows
