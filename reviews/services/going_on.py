"""Going on to the reviewers although a gate failed: when every failure is waived, and people will look at it."""

from __future__ import annotations

from gates.people import waits_for_person
from governance.domain.facts import FactSet
from governance.domain.lifecycle import POLICY, Action
from governance.domain.vocabulary import State, StepState, Track
from governance.models import Submission
from governance.policy import replay
from governance.services.lifecycle import advance
from governance.services.work import Work
from reviews.models import ReviewStep
from reviews.selectors.case import case_of
from reviews.selectors.dossier import dossier_from, material_of
from reviews.selectors.waiving import cover
from reviews.services.attesting import ask_people
from reviews.services.findings import BLOCKED
from reviews.services.refreshing import keep
from reviews.services.rollback import rollback_refusal
from reviews.services.steps import lay_out, open_next, steps_for


def go_on_with_waivers(work: Work, submission: Submission) -> bool:
    """Send a case whose failures are all waived to its reviewers. Needs the row lock. Returns whether it went on.

    A track without review steps stays where it is: the policy approves what passed, and a waived gate has not passed.
    """
    if submission.state != State.CHECKS_FAILED:
        return False
    material = material_of(submission, lock=True)
    if material.decision is None or material.pack is None or not material.decision.final:
        return False
    covered = cover(material.waivers, material.outcomes)
    stopping = [o for o in material.outcomes if o.blocking and o.verdict in BLOCKED and o.code not in covered]
    # what only waits for a person waits among the reviewers, as it does without a waiver
    if not all(waits_for_person(o.metric, o.verdict) for o in stopping):
        return False
    facts = FactSet.from_json(material.decision.facts)
    if rollback_refusal(facts, has_champion=submission.champion_id is not None):
        return False
    decision = material.decision
    assessment = replay(material.pack, decision.facts, frozenset(decision.pending), decision.envelope)
    steps = steps_for(material.pack, assessment, Track(submission.track))
    if not steps:
        return False
    waiting = ReviewStep.objects.filter(submission=submission, revision=submission.revision, state=StepState.WAITING)
    if not waiting.exists():
        lay_out(submission, steps)
    keep(submission, dossier_from(material))
    advance(
        work,
        submission,
        Action.PASS_WITH_WAIVER,
        case=case_of(submission),
        actor=POLICY,
        turn=steps[0].role.value,
        data={"dossier": submission.dossier_digest, "waived": sorted(covered)},
    )
    open_next(work, submission, material.pack)
    ask_people(work, submission, material.pack, list(material.outcomes), turn=steps[0].role)
    return True
