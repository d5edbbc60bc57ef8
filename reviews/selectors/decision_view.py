"""Filling the decision view: the one explained object that page, API, PDF and exports render."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from governance.domain.decision import ComparisonView, DecisionView
from governance.domain.decision_review import InterestView
from governance.domain.facts import Fact, FactSet
from governance.domain.lifecycle import Case, words
from governance.domain.vocabulary import OPEN_STATES, REVIEWING_ROLES, Disposition, Role, State
from governance.models import Revision, Submission
from governance.policy.stages import SHADOW
from governance.selectors.access import Caller
from governance.selectors.champions import Champion
from governance.selectors.facts import offered
from governance.selectors.previewing import preview_draft
from reviews.selectors.actions import action_views
from reviews.selectors.assessed import Assessed, from_decision, from_preview
from reviews.selectors.attesting import attestation_views
from reviews.selectors.case import case_from
from reviews.selectors.differences import fact_differences, in_order, revision_differences
from reviews.selectors.dossier import dossier_from
from reviews.selectors.learning import learning_views
from reviews.selectors.loading import Loaded, load
from reviews.selectors.precedents import with_precedents
from reviews.selectors.view_answers import fact_views, questionnaire_view
from reviews.selectors.view_history import history
from reviews.selectors.view_parts import (
    change_item_views,
    condition_views,
    evidence_views,
    finding_views,
    gate_views,
    permit_view,
    run_views,
    sign_off_views,
    source_views,
    step_views,
)
from reviews.selectors.view_threads import thread_views
from reviews.selectors.view_waivers import waived_by, waiver_views

COMPARED = (
    "model.features",
    "data.protected_attributes",
    "data.sources",
    "performance.metric",
    "performance.candidate",
    "model.decision_threshold",
    "model.architecture",
    "model.framework",
    "cost.per_1k_predictions",
    "monitoring.plan",
    "rollout.strategy",
)


def decision_view(submission_id: int, caller: Caller) -> DecisionView:
    """Everything about a submission, as the caller may see it. Ten statements after the pack is cached. Raises `NotFound`."""
    return view_of(load(caller=caller, submission_id=submission_id), caller)


def view_for_verdict(submission_id: int, caller: Caller) -> DecisionView:
    """The same without what the verdict document does not hold: history, differences, pictures. Five statements."""
    return view_of(load(caller=caller, submission_id=submission_id, history=False), caller)


def view_of(loaded: Loaded, caller: Caller) -> DecisionView:
    """The view of rows already loaded; one more set of queries for a draft, which has no stored assessment yet."""
    submission, material, now = loaded.submission, loaded.material, timezone.now()
    if material.decision is not None:
        assessed = from_decision(material.decision)
        offers = _offers(loaded, assessed)
    else:
        preview = preview_draft(submission)
        assessed, offers = from_preview(preview), preview.offers
    questions = questionnaire_view(assessed.pack, assessed.facts, material.answers, loaded.names, offers)
    case = case_from(
        submission,
        steps=loaded.current_steps,
        sign_offs=loaded.sign_offs,
        contributors=loaded.contributors,
        waived=waived_by(loaded),
        attested=loaded.attested,
        conflicts=[row.by_id for row in loaded.declared_conflicts],
        marked=[row.by_id for row in loaded.marks],
        team=loaded.team,
        grants=loaded.grants,
        must_fix=[row.about for row in loaded.threads if row.disposition == Disposition.MUST_FIX],
        caller=caller,
        passes=loaded.passes,
    )
    roles = caller.roles_in(submission.unit_id) if caller.token is None else frozenset()
    mine = next((step for step in loaded.current_steps if step.pk == case.step_id and Role(step.role) in roles), None)
    waivers = waiver_views(loaded, now)
    state, due = State(submission.state), submission.due_at
    revision = next((row for row in loaded.revisions if row.number == submission.revision), None)
    return DecisionView(
        id=submission.pk,
        submission=submission.number,
        url=url_of(submission),
        unit=submission.unit.name,
        system=submission.system.slug,
        system_name=submission.system.name,
        system_purpose=submission.system.purpose,
        system_owner=submission.system.owner.name if submission.system.owner is not None else "",
        kind=submission.kind,
        version=submission.version.version,
        artifact_digest=submission.version.artifact_digest,
        environment=submission.environment,
        champion=submission.champion.version.version if submission.champion is not None else "",
        champion_submission=submission.champion.number if submission.champion is not None else "",
        submitter=loaded.name(submission.submitter_id),
        contributors=tuple((loaded.name(row.person_id), row.why) for row in loaded.contributors),
        revision=submission.revision,
        revision_note=revision.note if revision is not None else "",
        created_at=submission.created_at,
        submitted_at=submission.submitted_at,
        closed_at=submission.closed_at,
        context=str(assessed.facts.value("business.context") or ""),
        state=state.value,
        state_words=words(state),
        final=state not in OPEN_STATES,
        turn=_turns(submission.turn, case.open_steps),
        turn_since=submission.turn_since,
        due_at=due,
        overdue=due is not None and due < now,
        claimed_by=loaded.name(submission.claimed_by_id),
        track=assessed.track,
        track_is_final=assessed.is_final,
        track_says=assessed.says,
        reasons=with_precedents(assessed.reasons, assessed.policy.pack, material.decision),
        held=assessed.held,
        checked=assessed.checked(*_before(loaded)),
        announced=assessed.announced,
        envelope=assessed.envelope,
        would_change=assessed.would_change,
        steps=step_views(loaded, roles, now),
        gates=gate_views(loaded, waivers),
        runs=run_views(loaded),
        questions=questions.counts,
        answers=questions.answers,
        facts=fact_views(assessed.facts, assessed.pack, loaded.names),
        missing_evidence=assessed.missing_evidence([row.role for row in material.evidence]),
        evidence=evidence_views(loaded),
        sources=source_views(loaded),
        findings=finding_views(loaded),
        change_items=change_item_views(loaded, assessed.pack),
        conditions=condition_views(loaded, now),
        sign_offs=sign_off_views(loaded),
        history=history(loaded.events, loaded.sign_offs, loaded.names),
        since_last_revision=_since_last(loaded.revisions, submission.revision),
        against_champion=_against_champion(loaded, assessed),
        permit=permit_view(loaded, now),
        actions=action_views(case, caller.actor(submission.unit_id), claimed_by=submission.claimed_by_id),
        policy=assessed.policy,
        dossier_digest=dossier_from(material).digest if material.decision is not None else "",
        waivers=waivers,
        attestations=attestation_views(loaded, roles),
        your_step=case.step_id,
        threads=thread_views(loaded),
        learning=tuple(row for row in learning_views(mine, loaded.passes, now) if row.stage != SHADOW),
        may_declare=_may_declare(case, caller, roles),
        interests=tuple(InterestView(loaded.name(row.by_id), row.why, row.at) for row in loaded.declared_conflicts),
    )


def _may_declare(case: Case, caller: Caller, roles: frozenset[Role]) -> bool:
    """Whether the page offers to declare a conflict of interest: to those who could be asked and have not spoken yet."""
    me = caller.person.pk if caller.person is not None else 0
    return bool(roles & REVIEWING_ROLES) and me not in case.conflicts and me not in case.decided.values()


def _before(loaded: Loaded) -> tuple[FactSet | None, str]:
    """The facts the version in force was decided on, and its name; nothing where there is none."""
    champion, decision = loaded.submission.champion, loaded.champion_decision
    if champion is None or decision is None:
        return None, ""
    return FactSet.from_json(decision.facts), champion.version.version


def _turns(turn: str, open_steps: tuple[Role, ...]) -> tuple[str, ...]:
    """Whose turn it is: every role with an open step while people review, else what stands on the submission."""
    if not turn:
        return ()
    return tuple(role.value for role in open_steps) or (turn,)


def _offers(loaded: Loaded, assessed: Assessed) -> Mapping[str, Fact]:
    """The champion's answers, as long as the submission is open and may still take them over."""
    champion, decision = loaded.submission.champion, loaded.champion_decision
    if champion is None or decision is None or State(loaded.submission.state) not in OPEN_STATES:
        return loaded.offers
    return offered(assessed.facts, Champion(champion, champion.version.version, FactSet.from_json(decision.facts)))


def url_of(submission: Submission) -> str:
    """Where people look at it."""
    return f"{settings.PUBLIC_URL}/submissions/{submission.number}"


def _since_last(revisions: tuple[Revision, ...], current: int) -> ComparisonView | None:
    by_number = {row.number: row for row in revisions}
    before, after = by_number.get(current - 1), by_number.get(current)
    if before is None or after is None:
        return None
    sides = [{"facts": row.facts, "answers": row.answers, "evidence": row.evidence} for row in (before, after)]
    changes = revision_differences(*sides)
    return ComparisonView(f"revision {before.number}", _count(len(changes), f"revision {before.number}"), changes)


def _against_champion(loaded: Loaded, assessed: Assessed) -> ComparisonView | None:
    champion, decision = loaded.submission.champion, loaded.champion_decision
    if champion is None or decision is None:
        return None
    changes = in_order(fact_differences(FactSet.from_json(decision.facts), assessed.facts, only=COMPARED))
    return ComparisonView(
        champion.version.version, _count(len(changes), f"version {champion.version.version}, now in force"), changes
    )


def _count(number: int, against: str) -> str:
    return f"{number} difference{'' if number == 1 else 's'} from {against}." if number else f"Nothing differs from {against}."
