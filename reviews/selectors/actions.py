"""Buttons and API actions: the lifecycle's own refusals, so that what is offered is what is allowed."""

from __future__ import annotations

from governance.domain.decision_review import ActionView
from governance.domain.errors import DomainError
from governance.domain.lifecycle import TRANSITIONS, Action, Actor, By, Case, approval_refusal, decision_refusal, refusal
from governance.domain.vocabulary import DecisionKind, State

_DANGER = frozenset({Action.WITHDRAW, Action.REJECT, Action.REVOKE})
_DECISIONS = (
    (DecisionKind.APPROVE, "Approve", "Your step is done; the next one opens, or the case is approved."),
    (DecisionKind.APPROVE_WITH_CONDITIONS, "Approve with conditions", "Each condition gets an owner and a due date."),
)
# decided by `approval_refusal`, and drawn as decisions rather than as moves
_AS_DECISIONS = frozenset({Action.COMPLETE_REVIEW})


def action_views(case: Case, actor: Actor, *, claimed_by: int | None) -> tuple[ActionView, ...]:
    """Everything a person could do in this state, or the reason why not. What only the policy does is left out."""
    views = []
    if case.state is State.IN_REVIEW:
        refused = approval_refusal(case, actor)
        views += [_view(kind.value, label, details, refused) for kind, label, details in _DECISIONS]
    for (state, action), move in TRANSITIONS.items():
        if state is case.state and move.by != {By.POLICY} and action not in _AS_DECISIONS:
            views.append(_view(action.value, move.label, move.details, refusal(case, action, actor), danger=action in _DANGER))
    if case.state is State.IN_REVIEW:
        mine = claimed_by is not None and claimed_by == actor.person
        name, label, details = (
            ("release", "Give it back", "Somebody else can take it on.")
            if mine
            else ("claim", "Take it on", "Others see that you are on it.")
        )
        views.append(_view(name, label, details, decision_refusal(case, actor)))
    return tuple(views)


def _view(action: str, label: str, details: str, refused: DomainError | None, *, danger: bool = False) -> ActionView:
    return ActionView(action, label, details, refused is None, refused.detail if refused is not None else "", danger)
