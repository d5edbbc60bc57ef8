"""Settling a submission whose checks have finished: final track, outcomes, findings, and on to whoever comes next."""

from __future__ import annotations

from collections.abc import Iterable

from gates.models import GateOutcome
from gates.people import waits_for_person
from gates.selectors.measured import current_runs, measured_facts
from gates.services.finishing import finished
from gates.services.judging import judge
from governance.domain.errors import Conflict
from governance.domain.facts import Fact, FactSet
from governance.domain.lifecycle import POLICY, Action
from governance.domain.vocabulary import Assurance, Role, RunStatus, Severity, State, Track, Verdict
from governance.models import PolicyPack, Revision, Submission
from governance.policy import Assessment, Pack, RequiredStep
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_of
from governance.services.lifecycle import advance
from governance.services.tracks import assign
from governance.services.work import Work, unit_of_work
from reviews.selectors.case import case_of
from reviews.selectors.dossier import dossier
from reviews.selectors.notices import Notice
from reviews.selectors.waiving import covering
from reviews.services.attesting import ask_people, with_people
from reviews.services.barring import ABOUT as BARRED
from reviews.services.barring import bar_if_biased
from reviews.services.fences import fences
from reviews.services.findings import BLOCKED, Problem, problems_of, sync
from reviews.services.following_up import schedule_evaluation
from reviews.services.keeping_stricter import stricter_in_force
from reviews.services.locking import locked
from reviews.services.permits import issue, supersede_earlier
from reviews.services.refreshing import keep
from reviews.services.rollback import rollback_refusal
from reviews.services.routing import tell_responsible
from reviews.services.steps import lay_out, open_next, steps_for
from reviews.services.telling import holders, tell, tell_decided

NO_MENDING = "Withdraw it. Train a build that mends it, and hand that one in."


def settle(*, submission_id: int) -> State | None:
    """Settle one submission. Returns its new state, or None when there was nothing to do: not in checks, or runs unfinished.

    Locked and idempotent: a message delivered twice, or two workers at once, settle it once.
    """
    with fences(), unit_of_work(SYSTEM) as work:
        submission = locked(SYSTEM, submission_id)
        if submission.state != State.IN_CHECKS:
            return None
        runs = current_runs(submission.pk, submission.revision)
        if any(run.status in (RunStatus.QUEUED, RunStatus.RUNNING) for run in runs):
            return None
        if submission.policy_id is None:
            raise Conflict(
                f"{submission.number} is in checks, but no policy was ever assigned to it, so nothing can judge it. "
                "Withdraw it and hand it in again; if that happens often, run manage.py doctor.",
                code="judged_by_nothing",
            )
        policy = PolicyPack.objects.defer("source", "questionnaire").get(pk=submission.policy_id)
        pack = pack_of(policy)
        revision = Revision.objects.get(submission=submission, number=submission.revision)
        facts = FactSet.from_json(revision.facts).with_facts(measured_facts(submission.pk, revision.number, runs=runs))
        decision, assessment = assign(work, submission=submission, policy=policy, pack=pack, facts=facts, pending=(), final=True)
        track = Track(decision.track)
        outcomes = judge(work, submission=submission, revision=revision, pack=pack, track=track, runs=runs)
        if track is Track.GREEN and (unsettled := unsettled_fact(outcomes)) is not None:
            # the policy approves what passed; what a gate could not settle is for a person, if the pack says so (TR-096)
            facts = facts.with_facts([unsettled])
            decision, assessment = assign(
                work, submission=submission, policy=policy, pack=pack, facts=facts, pending=(), final=True
            )
            track = Track(decision.track)
            outcomes = judge(work, submission=submission, revision=revision, pack=pack, track=track, runs=runs)
        if (newer := stricter_in_force(work, submission, facts)) is not None:
            # the policy changed while the checks ran: the stricter of the two counts
            policy, pack = newer
            decision, assessment = assign(
                work, submission=submission, policy=policy, pack=pack, facts=facts, pending=(), final=True
            )
            track = Track(decision.track)
            outcomes = judge(work, submission=submission, revision=revision, pack=pack, track=track, runs=runs)
        outcomes = with_people(work, submission, pack, outcomes)
        no_way_back = rollback_refusal(facts, has_champion=submission.champion_id is not None)
        barred = bar_if_biased(work, submission, outcomes)
        found = problems_of(outcomes, assessment.contradictions, no_way_back)
        opened = sync(work, submission, [*found, *([Problem(BARRED, Severity.HIGH, barred, NO_MENDING)] if barred else [])])
        tell_responsible(work, submission, pack, opened)
        steps = steps_for(pack, assessment, track)
        _move_on(work, submission, policy, pack, outcomes, no_way_back, barred, steps, assessment)
        return State(submission.state)


def _waits(outcome: GateOutcome) -> bool:
    """Whether a gate only waits for a person: the case goes to its reviewers, and is not approved before the person spoke."""
    return waits_for_person(outcome.metric, outcome.verdict)


def unsettled_fact(outcomes: Iterable[GateOutcome]) -> Fact | None:
    """The gates that did not pass, as a measured fact; None when every gate passed or had no object here."""
    codes = sorted(o.code for o in outcomes if Verdict(o.verdict) not in (Verdict.PASS, Verdict.NOT_APPLICABLE))
    return Fact("gates.unsettled", codes, Assurance.MEASURED, "measured:gates", "verdicts other than pass") if codes else None


def _move_on(
    work: Work,
    submission: Submission,
    policy: PolicyPack,
    pack: Pack,
    outcomes: list[GateOutcome],
    no_way_back: str,
    barred: str,
    steps: tuple[RequiredStep, ...],
    assessment: Assessment,
) -> None:
    case = case_of(submission)
    waived = covering(submission, outcomes)
    blocked = [
        o.code for o in outcomes if o.blocking and Verdict(o.verdict) in BLOCKED and o.code not in waived and not _waits(o)
    ]
    # the policy approves what passed, and a waived gate has not passed
    green = submission.track == Track.GREEN and not steps and not waived and not any(_waits(o) for o in outcomes)
    if blocked or no_way_back or barred or not (green or steps):
        others = {"rollout.rollback_target": no_way_back, BARRED: barred}
        data: dict[str, object] = {"blocked_by": [*blocked, *(name for name, why in others.items() if why)]}
        advance(work, submission, Action.FAIL_CHECKS, case=case, actor=POLICY, turn="submitter", data=data)
        _alert(work, submission, [o for o in outcomes if o.code in blocked], no_way_back or barred)
        return
    if green:
        keep(submission, dossier(submission))
        advance(
            work,
            submission,
            Action.APPROVE_BY_POLICY,
            case=case,
            actor=POLICY,
            data={
                "policy": {"pack": assessment.pack, "version": assessment.version, "digest": assessment.digest},
                "rules_held": [row.rule.id for row in assessment.checked],
                "dossier": submission.dossier_digest,
            },
        )
        issue(work, submission=submission, policy=policy)
        supersede_earlier(work, submission=submission)
        schedule_evaluation(work, submission, pack)
        tell_decided(
            work, submission, "was approved by the policy", "Every rule held and every gate passed. Its permit is issued."
        )
        return
    lay_out(submission, steps)
    keep(submission, dossier(submission))
    advance(
        work,
        submission,
        Action.PASS_CHECKS,
        case=case,
        actor=POLICY,
        turn=steps[0].role.value,
        data={"dossier": submission.dossier_digest, **({"waived": sorted(waived)} if waived else {})},
    )
    open_next(work, submission, pack)
    ask_people(work, submission, pack, outcomes, turn=steps[0].role)


def _alert(work: Work, submission: Submission, blocked: list[GateOutcome], no_way_back: str) -> None:
    """Tell the responsible data scientist and ML engineers at once what stopped it and what to do next."""
    first = blocked[0] if blocked else None
    people = holders(submission.unit_id, Role.PLATFORM_ENGINEER)
    people[submission.submitter_id] = f"You are the data scientist who submitted {submission.number}."
    more = f" {len(blocked) - 1} more did not pass either." if len(blocked) > 1 else ""
    says = f"{first.code}: {first.says}{more} Next: {first.fix or 'look at the finding.'}" if first is not None else no_way_back
    tell(
        work,
        submission,
        Notice.GATE_FAILED,
        people,
        key=f"{submission.number}:r{submission.revision}:{submission.turn_since or ''}",
        title=f"{submission.system.slug} {submission.version.version} was stopped at {first.code if first else 'its findings'}",
        says=says,
        path=f"/submissions/{submission.number}" + (f"#gate-{first.code}" if first else "#findings"),
    )


def due_to_settle(*, limit: int = 100) -> list[int]:
    """Submissions in checks none of whose runs is still to finish: the message that should have settled them was lost."""
    waiting = Submission.objects.filter(state=State.IN_CHECKS).order_by("pk").values_list("pk", "revision")[:limit]
    return [pk for pk, revision in waiting if finished(pk, revision)]
