"""The cases of the demo organisation, each for a reason.

| system | version | ends as | shows |
|---|---|---|---|
| credit-default | 2.2.0 | approved | the champion: first deployment, reviewed by analyst and risk officer |
| credit-default | 2.3.0 | in review, analyst | a routine red case; ten explanations and the reason codes wait to be read |
| loan-limit | 1.0.0 | checks failed | a fairness failure: women are approved far less often; a waiver in progress |
| card-fraud | 3.0.0, 3.1.0 | approved; in review | same performance, other explanations: a feature was swapped for its double |
| basket-recommendations | 4.0.0 | approved | the shop's champion |
| basket-recommendations | 4.1.0 | approved by policy | a green retrain |
| basket-recommendations | 4.2.0 | in review, platform engineer | yellow: a new feature from the approved store; overdue |
| gift-recommendations | 1.0.0, 1.1.0 | approved; in review | personal data in training is no ban: it asks for the approval it
needs |
| offer-ranking | 1.0.0, 1.1.0 | approved; in review, budget owner | over budget; its A/B test meets another team's |
| readmission-risk | 0.9.0 | in review, risk officer | a resubmission: changes were requested and answered |
| diabetes-progression | 1.0.0 | checks failed | scikit-learn's bundled real data: 221 rows are too few to tell |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.db.models.functions import Now
from django.utils import timezone

from gates.simulator.models import train
from gates.simulator.operations import AbTest, LoadTest, cost_report
from gates.simulator.populations import Population, hospital, lender, shop
from governance.domain.incoming import NewAnswer
from governance.domain.vocabulary import DecisionKind, EvidenceRole, State
from governance.models import Person, Submission, Unit
from governance.selectors.access import SYSTEM, caller_for
from governance.services.drafts import answer, changing
from governance.services.work import unit_of_work
from reviews.demo.handing_in import build, hand_in, settled, write_sample
from reviews.demo.reading import read_everything
from reviews.models import ReviewStep
from reviews.selectors.case import case_of
from reviews.selectors.columns import columns_of
from reviews.selectors.dossier import current_digest
from reviews.selectors.exposure_view import exposure_view
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewCheck, NewDecision
from reviews.services.deploying import NewDeployment, reconcile, report_deployment
from reviews.services.exposure import NewExposure, decide_exposure, request_exposure
from reviews.services.intake import revise
from reviews.services.marking import NewMark, mark_column
from reviews.services.waiving import NewWaiver, request_waiver, sign_waiver

MONITORS = [
    {
        "kind": "data_drift",
        "features": ["all"],
        "test": "psi",
        "limit": 0.25,
        "window": "7d",
        "owner": "ml-platform",
        "route": "pager:ml-platform",
    },
    {
        "kind": "concept_drift",
        "metric": "roc_auc",
        "limit": 0.05,
        "window": "30d",
        "owner": "ml-platform",
        "route": "pager:ml-platform",
    },
    {
        "kind": "prediction_drift",
        "test": "psi",
        "limit": 0.2,
        "window": "7d",
        "owner": "ml-platform",
        "route": "pager:ml-platform",
    },
    {"kind": "data_quality", "limit": 0.05, "window": "1d", "owner": "data-platform", "route": "pager:data-platform"},
    {
        "kind": "fairness",
        "metric": "selection rate",
        "limit": 0.8,
        "window": "30d",
        "owner": "ml-platform",
        "route": "#ml-platform",
    },
    {"kind": "latency", "metric": "p95", "limit": 200, "window": "1d", "owner": "ml-platform", "route": "pager:ml-platform"},
]
TRAIN_ROWS, EVAL_ROWS = 12_000, 8_000


@dataclass
class Cast:
    """The people and units of the stories."""

    people: dict[str, Person]
    units: dict[str, Unit]
    say: Callable[[str], None]

    def sign(self, submission: Submission, who: str, **more: Any) -> None:
        """Decide the open step as that person, on the dossier as it is now."""
        if more.get("kind", DecisionKind.APPROVE) in (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS):
            read_everything(self.people, submission)
        caller = caller_for(self.people[who], origin="job")
        step_id = case_of(submission, caller).step_id
        assert step_id is not None, "nothing waits for a decision"
        step = ReviewStep.objects.get(pk=step_id)
        values: dict[str, Any] = {
            "kind": DecisionKind.APPROVE,
            "comment": "Read together with the evidence; the intervals are narrow.",
            "rationale": "It is at least as good as what runs now for every group that was measured.",
            "alternatives": "Keeping the champion, and half of the traffic; the canary bounds the first errors well enough.",
            "checks": {item["id"]: NewCheck("yes") for item in step.checklist},
            "residual_level": "medium",
            "residual_plan": "The owner reads errors by group each week and takes the canary back at the first breach.",
            "residual_review_on": timezone.now().date() + timedelta(days=90),
            **more,
        }
        decide(
            caller=caller,
            submission_id=submission.pk,
            dossier_digest=current_digest(submission.pk),
            decision=NewDecision(**values),
        )
        submission.refresh_from_db()


def standard_facts(domain: str, **more: Any) -> dict[str, Any]:
    """What a team writes once into the metadata of its training pipeline."""
    return {
        "decision.domain": domain,
        "decision.automated": True,
        "decision.affects_customers": True,
        "decision.reversible": True,
        "impact.financial": "high",
        "impact.people_per_month": 12_000,
        "rollout.strategy": "canary",
        "rollout.traffic_percent": 10,
        "rollout.circuit_breaker": True,
        "monitoring.plan": MONITORS,
        "cost.per_1k_predictions": 0.04,
        "vendor.third_party": False,
        "data.protected_attributes": [],
        **more,
    }


LENDING = {"data.consent_basis": "contract", "data.reference_population": "Lending customers"}
SHOP_FACTS = {
    "decision.automated": True,
    "decision.affects_customers": False,
    "decision.affects_purchases": False,
    "impact.financial": "low",
    "impact.people_per_month": 90_000,
    "regulation.regimes": [],
    "data.contains_pii": False,
    "data.protected_attributes": [],
}


def tell(cast: Cast, home: Path, stories: Sequence[tuple[str, str, Callable[[Cast, Path], None]]]) -> None:
    """Hand in every case. Each story is skipped when its last version exists already."""
    for system, version, story in stories:
        if Submission.objects.filter(system__slug=system, version__version=version).exists():
            continue
        cast.say(f"{system}")
        story(cast, home)


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


def basket(cast: Cast, home: Path) -> None:
    """First deployment, a green retrain, and a new feature from the approved store that waits too long."""
    training, evaluation = shop(TRAIN_ROWS, seed=41), shop(EVAL_ROWS, seed=42)
    base, retrain = train(training, seed=6), train(training, seed=7)
    common: dict[str, Any] = {
        "system": "basket-recommendations",
        "evaluation": evaluation,
        "source": "s3://lake/shop/clicks/2026q3.parquet",
        "intended_use": "Orders the products shown beside the basket. Does not change prices or offers.",
        "limitations": "New visitors get the most popular products.",
        "owner": "shop-recommendations",
        "governance": standard_facts("recommendation", **SHOP_FACTS, **{"data.consent_basis": "consent"}),
        "sensitive": ("sex",),
    }
    unit, dana = cast.units["shop"], cast.people["dana"]
    first = build(version="4.0.0", candidate=base, champion=None, training=training, answers=FIRST, **common)
    approve_red(cast, settled(hand_in(dana, unit, first)))
    settled(hand_in(dana, unit, build(version="4.1.0", candidate=retrain, champion=base, training=training, **common)))
    more, more_eval = with_feature(training, "wishlist_size", 43), with_feature(evaluation, "wishlist_size", 44)
    candidate = train(more, seed=7)
    late = build(version="4.2.0", candidate=candidate, champion=retrain, training=more, **{**common, "evaluation": more_eval})
    overdue(settled(hand_in(dana, unit, late)))


def gifts(cast: Cast, home: Path) -> None:
    """Recommendations on purchase history: the samples hold e-mail addresses, which asks for an approval instead of stopping
    it."""
    training, evaluation = shop(TRAIN_ROWS, seed=51), shop(EVAL_ROWS, seed=52)
    base, retrain = train(training, seed=8), train(training, seed=9)
    emails = pd.DataFrame({"customer_email": [f"customer{i}@example.com" for i in range(TRAIN_ROWS)]})
    common: dict[str, Any] = {
        "system": "gift-recommendations",
        "training": training,
        "evaluation": evaluation,
        "source": "s3://lake/shop/clicks/2026q3.parquet",
        "intended_use": "Suggests gifts from the purchase history of a customer. Does not change prices.",
        "limitations": "Knows purchases of the last two years only.",
        "sensitive": ("sex",),
        "owner": "shop-recommendations",
    }
    unit, dana = cast.units["shop"], cast.people["dana"]
    facts = standard_facts("recommendation", **SHOP_FACTS, **{"data.consent_basis": "consent"})
    approve_red(
        cast,
        settled(
            hand_in(dana, unit, build(version="1.0.0", candidate=base, champion=None, answers=FIRST, governance=facts, **common))
        ),
    )
    declared = {**facts, "data.contains_pii": True, "rollout.strategy": "ab_test", "rollout.traffic_percent": 5}
    test = AbTest(
        "gift-order", "shop-recommendations", "order of gifts", "newer gifts come first",
        timezone.now().date() + timedelta(days=2), population={"country": ["de", "at"]}, layer="product lists",
    )  # fmt: skip
    personal = build(
        version="1.1.0",
        candidate=retrain,
        champion=base,
        governance=declared,
        sample_extra=emails,
        documents=experiment(test),
        **common,
    )
    row = settled(hand_in(dana, unit, personal))
    why = "The addresses are needed to send the suggestions; the approval is asked for."
    mark = NewMark("customer_email", "expected", why)
    if any(each.column == mark.column for each in columns_of(row)):
        mark_column(caller=caller_for(cast.people["priya"], origin="job"), submission_id=row.pk, new=mark)


def offers(cast: Cast, home: Path) -> None:
    """A larger model at a quarter more: the budget owner is asked. Its A/B test meets the one of the gift recommendations."""
    training, evaluation = shop(TRAIN_ROWS, seed=71), shop(EVAL_ROWS, seed=72)
    base, deeper = train(training, seed=12), train(training, seed=12, trees=70)
    usual, slow = LoadTest(11.0), LoadTest(14.0)
    common: dict[str, Any] = {
        "system": "offer-ranking",
        "training": training,
        "evaluation": evaluation,
        "source": "s3://lake/shop/clicks/2026q3.parquet",
        "intended_use": "Orders the offers on the start page of the shop. Does not change prices.",
        "limitations": "Visitors without history see the usual order.",
        "sensitive": ("sex",),
        "owner": "shop-offers",
    }
    unit, dana = cast.units["shop"], cast.people["dana"]
    facts = standard_facts("recommendation", **SHOP_FACTS, **{"data.consent_basis": "consent"})
    first = build(
        version="1.0.0", candidate=base, champion=None, answers=FIRST, governance=facts,
        documents=offer_costs(7, usual), **common,
    )  # fmt: skip
    approve_red(cast, settled(hand_in(dana, unit, first)))
    test = AbTest(
        "offer-order", "shop-offers", "order of offers", "offers of the season come first",
        timezone.now().date() + timedelta(days=9), population={"country": ["de", "fr"]}, layer="product lists",
    )  # fmt: skip
    tested = {**facts, "rollout.strategy": "ab_test", "rollout.traffic_percent": 5}
    second = build(
        version="1.1.0", candidate=deeper, champion=base, governance=tested,
        documents={**offer_costs(8, slow, usual), **experiment(test)}, **common,
    )  # fmt: skip
    submission = settled(hand_in(dana, unit, second))
    cast.sign(submission, "pia", readings=readings_of(submission, "pia"))


def costs(seed: int, candidate: LoadTest, champion: LoadTest | None = None) -> dict[EvidenceRole, tuple[str, bytes]]:
    """What a credit model costs: far within its budget."""
    body = cost_report(
        candidate, champion, seed=seed, predictions_per_month=400_000_000, budget=120, owner="credit-risk", p95_ms=40
    )
    return {EvidenceRole.COST_REPORT: ("cost.json", body)}


def offer_costs(seed: int, candidate: LoadTest, champion: LoadTest | None = None) -> dict[EvidenceRole, tuple[str, bytes]]:
    """What the ranking of offers costs, on every page of the shop: the budget covers the first version and not the second."""
    body = cost_report(
        candidate, champion, seed=seed, predictions_per_month=3_000_000_000, budget=520, owner="shop-platform", p95_ms=60
    )
    return {EvidenceRole.COST_REPORT: ("cost.json", body)}


def experiment(test: AbTest) -> dict[EvidenceRole, tuple[str, bytes]]:
    """The set-up of an A/B test as evidence."""
    return {EvidenceRole.EXPERIMENT: ("experiment.json", test.document())}


def readmission(cast: Cast, home: Path) -> None:
    """Changes were requested, answered in a second revision, and the analyst recommended it: the risk officer's turn."""
    training, evaluation = hospital(TRAIN_ROWS, seed=61), hospital(EVAL_ROWS, seed=62)
    model = train(training, seed=10)
    new = build(
        system="readmission-risk",
        version="0.9.0",
        candidate=model,
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/clinic/discharges/2026h1.parquet",
        intended_use="Ranks patients at discharge for a follow-up call by a nurse.",
        limitations="Children and maternity wards are not in the data.",
        owner="clinic-analytics",
        governance=standard_facts(
            "health",
            **{
                "data.contains_pii": False,
                "data.consent_basis": "public_task",
                "decision.automated": False,
                "decision.human_review": "The ward nurse decides on each call.",
            },
        ),
        answers=FIRST,
        sensitive=("sex",),
    )
    submission = settled(hand_in(cast.people["dana"], cast.units["clinic"], new))
    items = (
        NewChange(
            about_question="model.limitations",
            asks="Say what happens with patients who were never admitted before.",
            good_enough="One sentence with the number of such patients in the evaluation data.",
        ),
    )
    cast.sign(
        submission,
        "amir",
        kind=DecisionKind.REQUEST_CHANGES,
        comment="One question before I can recommend it.",
        change_items=items,
    )
    dana = caller_for(cast.people["dana"], origin="job")
    text = (
        "Children and maternity wards are not in the data. "
        "Patients never admitted before are 4 in 10 of the evaluation rows and rank lower."
    )
    with changing(dana, submission.pk) as (work, locked):
        answer(work, locked, {"model.limitations": NewAnswer(text, "asked for by the analyst")})
    replies = {item.pk: "Added, with the share in the evaluation data." for item in submission.change_items.all()}
    revise(caller=dana, submission_id=submission.pk, note="Limitations say more.", replies=replies)
    cast.sign(settled(submission), "amir", readings=readings_of(submission, "amir"))
    # the register says that discharges hold personal data, so the data steward reads it as well
    cast.sign(submission, "priya")


def diabetes(cast: Cast, home: Path) -> None:
    """Scikit-learn's bundled diabetes data: 442 real patients; label: progression above the median. Small on purpose."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(as_frame=True, scaled=False)
    frame = data.frame.copy()
    frame["progressed"] = (frame.pop("target") > data.target.median()).astype(int)
    frame.insert(0, "case_id", np.arange(len(frame)) + 40_000_000)
    frame["sex_recorded"] = np.where(frame["sex"] == frame["sex"].max(), "2", "1")
    frame["age_band"] = np.select([frame["age"] < 40, frame["age"] < 55], ["under 40", "40-54"], "55+")
    features = tuple(name for name in data.feature_names if name != "sex")
    shuffled = frame.sample(frac=1.0, random_state=7)
    parts = [
        Population(part.reset_index(drop=True), features, "progressed", ("sex_recorded", "age_band"))
        for part in (shuffled[:221], shuffled[221:])
    ]
    new = build(
        system="diabetes-progression",
        version="1.0.0",
        candidate=train(parts[0], seed=11, trees=30, depth=2),
        champion=None,
        training=parts[0],
        evaluation=parts[1],
        source="sklearn://diabetes",
        intended_use="Shows a clinic which patients may need an earlier check-up for diabetes.",
        limitations="442 patients of one study; too few to tell about groups.",
        owner="clinic-analytics",
        governance=standard_facts("health", **{"data.consent_basis": "public_task", "data.contains_pii": False}),
        answers=FIRST,
        sensitive=("sex_recorded",),
    )
    settled(hand_in(cast.people["dana"], cast.units["clinic"], new))


FIRST = {"rollout.rollback_target": "first version"}

STORIES: tuple[tuple[str, str, Callable[[Cast, Path], None]], ...] = (
    ("credit-default", "2.3.0", credit_default),
    ("basket-recommendations", "4.2.0", basket),
    ("loan-limit", "1.0.0", loan_limit),
    ("readmission-risk", "0.9.0", readmission),
    ("card-fraud", "3.1.0", card_fraud),
    ("gift-recommendations", "1.1.0", gifts),
    ("offer-ranking", "1.1.0", offers),
    ("diabetes-progression", "1.0.0", diabetes),
)


def readings_of(submission: Submission, who: str) -> dict[str, str]:
    """A reading for each gate that is not green, as that person of the demo would write it."""
    opinion = {
        "amir": "worth watching, not worth stopping for",
        "ruth": "an exposure I can bound",
        "pia": "no change for operations",
    }
    found = {}
    for outcome in submission.outcomes.filter(revision=submission.revision).exclude(verdict__in=["pass", "not_applicable"]):
        rows = f"{outcome.n} rows" if outcome.n else "what was handed in"
        words = opinion.get(who, "acceptable for the purpose stated")
        found[outcome.code] = (
            f"{who.capitalize()} on {outcome.name.replace('-', ' ')}: {words}, given {rows} and a canary of ten percent."
        )
    return found


def approve_red(cast: Cast, submission: Submission) -> None:
    """Every step in its order, each by the person of the demo who has that role."""
    by_role = {"analyst": "amir", "privacy": "priya", "risk_officer": "ruth", "platform_engineer": "pia"}
    by_role |= {"budget_owner": "bruno", "security": "sami", "ethics": "esi", "legal": "lena"}
    while submission.state == State.IN_REVIEW:
        step = ReviewStep.objects.filter(submission=submission, state="open").order_by("order")[0]
        who = by_role[step.role]
        more: Mapping[str, Any] = {"readings": readings_of(submission, who)}
        if step.role == "risk_officer":
            more = {
                **more,
                "reauthenticated_at": timezone.now(),
                "residual_risk": "Wrong refusals are appealable within a week; "
                "a canary and a circuit breaker bound the exposure.",
            }
        cast.sign(submission, who, **more)


def overdue(submission: Submission) -> None:
    """Let a case lie: as if it had been opened four days ago. Noted in the audit trail like everything else."""
    with unit_of_work(SYSTEM) as work:
        past = Now() - timedelta(days=4)
        step = ReviewStep.objects.filter(submission=submission, state="open").order_by("order")[0]
        due = timezone.now() - timedelta(days=3, hours=20)
        ReviewStep.objects.filter(pk=step.pk).update(opened_at=past, due_at=due)
        Submission.objects.filter(pk=submission.pk).update(turn_since=past, due_at=due)
        work.note("demo.backdated", submission, {"days": 4})


def with_feature(population: Population, name: str, seed: int) -> Population:
    """The same people with one more feature, drawn beside the label's equation: it carries a little signal."""
    rng = np.random.default_rng(seed)
    frame = population.frame.copy()
    frame[name] = rng.poisson(2 + 0.15 * frame[population.label]).astype(float)
    return Population(frame, (*population.features, name), population.label, population.sensitive)
