"""The clinic's cases: a resubmission after requested changes, and real data too small to tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gates.simulator.models import train
from gates.simulator.populations import Population, hospital
from governance.domain.incoming import NewAnswer
from governance.domain.vocabulary import DecisionKind
from governance.selectors.access import caller_for
from governance.services.drafts import answer, changing
from reviews.demo.cast import Cast, readings_of
from reviews.demo.handing_in import build, hand_in, settled
from reviews.demo.usual import EVAL_ROWS, FIRST, TRAIN_ROWS, standard_facts
from reviews.services.decision_input import NewChange
from reviews.services.intake import revise


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
    if "privacy" in submission.turn:
        cast.sign(submission, "priya", readings=readings_of(submission, "priya"))


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
