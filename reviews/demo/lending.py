"""The lender's cases: a champion with its challenger, a fairness failure with a waiver, a swapped feature."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from gates.simulator.models import train
from gates.simulator.operations import LoadTest
from gates.simulator.populations import lender
from governance.domain.vocabulary import State
from governance.models import Submission
from governance.selectors.access import caller_for
from reviews.demo.cast import Cast, approve_red
from reviews.demo.handing_in import build, hand_in, settled, write_sample
from reviews.demo.usual import EVAL_ROWS, FIRST, LENDING, TRAIN_ROWS, costs, standard_facts
from reviews.selectors.exposure_view import exposure_view
from reviews.services.deploying import NewDeployment, reconcile, report_deployment
from reviews.services.exposure import NewExposure, decide_exposure, request_exposure
from reviews.services.waiving import NewWaiver, request_waiver, sign_waiver


def credit_default(cast: Cast, home: Path) -> None:
    """A champion that people approved, a routine challenger, and the files of a next version for you to hand in."""
    training, evaluation = lender(TRAIN_ROWS, seed=11), lender(EVAL_ROWS, seed=12)
    champion, challenger, upcoming = (train(training, seed=s) for s in (1, 2, 3))
    common: dict[str, Any] = {
        "system": "credit-default",
        "training": training,
        "evaluation": evaluation,
        "source": "s3://lake/credit/applications/2026q3.parquet",
        "intended_use": "Decides on credit limit increases for existing customers of the lender.",
        "limitations": "Trained on customers with at least six months of history. Not for business customers.",
        "owner": "credit-risk",
        "governance": standard_facts("credit", **LENDING),
    }
    first = hand_in(
        cast.people["dana"],
        cast.units["lending"],
        build(version="2.2.0", candidate=champion, champion=None, answers=FIRST, documents=costs(5, LoadTest(9.0)), **common),
    )
    approve_red(cast, settled(first))
    report_what_runs(cast, first)
    dearer = costs(6, LoadTest(9.6), LoadTest(9.0))
    second = build(version="2.3.0", candidate=challenger, champion=champion, documents=dearer, **common)
    settled(hand_in(cast.people["dana"], cast.units["lending"], second))
    write_sample(
        build(version="2.4.0", candidate=upcoming, champion=champion, **common), home / "sample" / "credit-default-2.4.0"
    )


def report_what_runs(cast: Cast, champion: Submission) -> None:
    """The champion went live for a few and then for more; a monitor also saw something that nobody ever handed in."""
    pia, unit = caller_for(cast.people["pia"], origin="job"), cast.units["lending"].pk
    if champion.state == State.APPROVED:
        live = NewDeployment(system=champion.system.slug, version=champion.version.version, target="serving-eu-1", exposure=5)
        report_deployment(caller=pia, unit_id=unit, new=live)
        go_further(cast, champion)
        report_deployment(caller=pia, unit_id=unit, new=replace(live, exposure=25))
    seen = NewDeployment(system="churn-score", version="0.3", target="notebook-host", observed=True)
    report_deployment(caller=pia, unit_id=unit, new=seen)
    reconcile()


def go_further(cast: Cast, champion: Submission) -> None:
    """From 5 % to 25 %, which the analyst granted; to all of it, which waits for the risk officer."""
    dana, amir = (caller_for(cast.people[name]) for name in ("dana", "amir"))
    asked = request_exposure(
        caller=dana,
        submission_id=champion.pk,
        new=NewExposure(
            wanted=25,
            reason="At 5 % the offices see too few cases to compare the groups within a month.",
            monitoring_says="No alert since it went live; the desk overturned two refusals of 140, both for missing papers.",
        ),
    )
    decide_exposure(
        caller=amir,
        request_id=asked.pk,
        grant=True,
        seen_digest=exposure_view(asked.pk, amir).digest,
        why="Overturned refusals were read one by one and none is about the model. A quarter shows the groups sooner.",
        proved_at=timezone.now(),
    )
    request_exposure(
        caller=dana,
        submission_id=champion.pk,
        new=NewExposure(
            wanted=100,
            reason="The old scorecard is switched off at the end of the month.",
            monitoring_says="Nothing reported at 25 % yet: it went there today. The monitor reports every Monday.",
        ),
    )


def loan_limit(cast: Cast, home: Path) -> None:
    """Trained on labels that called women with the same means defaulters more often; part-time work gives them away to the
    model."""
    training, evaluation = lender(TRAIN_ROWS, seed=21, disparity=2.0), lender(EVAL_ROWS, seed=22)
    model = train(training, seed=4)
    new = build(
        system="loan-limit",
        version="1.0.0",
        candidate=model,
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/2026q3.parquet",
        intended_use="Sets the loan limit offered to new applicants for credit.",
        limitations="Applicants without a bureau record are scored by tenure alone.",
        owner="credit-risk",
        governance=standard_facts("credit", **LENDING),
        answers=FIRST,
    )
    waiver_in_progress(cast, settled(hand_in(cast.people["dana"], cast.units["lending"], new)))


def waiver_in_progress(cast: Cast, submission: Submission) -> None:
    """The team asks to go on with a pilot despite the selection rates; the manager has signed, a risk officer comes next."""
    outcome = submission.outcomes.filter(revision=submission.revision, code="GF101", verdict="fail", blocking=True).first()
    if outcome is None:
        return
    today = timezone.now().date()
    asked = request_waiver(
        caller=caller_for(cast.people["dana"], origin="job"),
        submission_id=submission.pk,
        new=NewWaiver(
            gate=outcome.code,
            reason="A pilot with 200 invited applicants a month, to collect labels without the bias of the old process. "
            "Waiting for those labels means that there will never be any.",
            compensating_control="Every refusal of the pilot is decided again by a credit officer within one working day, "
            "blind to the score; the overturn rate by group is reported weekly.",
            owner=cast.people["pia"].pk,
            expires_on=today + timedelta(days=30),
            audit_owner=cast.people["ada"].pk,
            audit_due_on=today + timedelta(days=21),
            read_risk=True,
        ),
    )
    sign_waiver(
        caller=caller_for(cast.people["mona"], origin="job"),
        waiver_id=asked.pk,
        comment="The pilot is small and every refusal is looked at again.",
        reauthenticated_at=timezone.now(),
    )


def card_fraud(cast: Cast, home: Path) -> None:
    """Champion and candidate use one of two nearly equal features each: equal performance, different reasons."""
    training, evaluation = lender(TRAIN_ROWS, seed=31), lender(EVAL_ROWS, seed=32)
    champion = train(training, seed=5, scramble=["monthly_spend"])
    candidate = train(training, seed=5, scramble=["income"])
    common: dict[str, Any] = {
        "system": "card-fraud",
        "training": training,
        "evaluation": evaluation,
        "source": "s3://lake/cards/transactions/2026q3.parquet",
        "intended_use": "Stops card payments that look like fraud until the customer confirms them.",
        "limitations": "New cards have no history for the first week.",
        "owner": "card-risk",
        "governance": standard_facts("fraud", **{"data.consent_basis": "contract"}),
    }
    approve_red(
        cast,
        settled(
            hand_in(
                cast.people["dana"],
                cast.units["lending"],
                build(version="3.0.0", candidate=champion, champion=None, answers=FIRST, **common),
            )
        ),
    )
    settled(
        hand_in(
            cast.people["dana"], cast.units["lending"], build(version="3.1.0", candidate=candidate, champion=champion, **common)
        )
    )
