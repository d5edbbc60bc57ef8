"""Cases made from public data kept beside the project: Taiwan credit default, Adult income, ACS income, COMPAS.

Nothing of it is copied into the project. Models are trained here; ACS income uses the published prediction files as they are,
and COMPAS
the published scores.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gates.simulator.metadata import RunFacts, all_files, frame_digest
from gates.simulator.models import train
from gates.simulator.populations import Population
from governance.domain.vocabulary import EvidenceRole
from governance.models import Submission
from reviews.demo.cast import Cast, approve_red
from reviews.demo.handing_in import Version, build, hand_in, parquet, settled
from reviews.demo.usual import FIRST, standard_facts

TAIWAN_NAMES = {
    "X1": "limit_balance", "X5": "age_years", "X6": "pay_0", "X7": "pay_2", "X8": "pay_3", "X9": "pay_4", "X10": "pay_5",
    "X11": "pay_6",
    "X12": "bill_1", "X13": "bill_2", "X14": "bill_3", "X18": "paid_1", "X19": "paid_2", "X20": "paid_3",
}  # fmt: skip

ADULT_COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race", "sex",
    "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
)  # fmt: skip


def tell_public(cast: Cast, data: Path) -> None:
    """Hand in the cases whose files are there; say which are not."""
    for needed, system, version, story in PUBLIC:
        if not (data / needed).exists():
            cast.say(f"{system} left out: {needed} is not in {data.name}")
        elif not Submission.objects.filter(system__slug=system, version__version=version).exists():
            cast.say(system)
            story(cast, data)


def taiwan(data: Path) -> tuple[Population, Population]:
    """UCI default of credit card clients: 20,000 rows to train on, 10,000 to evaluate."""
    raw = pd.read_csv(data / "taiwan" / "UCI_Credit_Card.csv")
    frame = raw.rename(columns=TAIWAN_NAMES)[list(TAIWAN_NAMES.values())].astype(float)
    frame.insert(0, "case_id", raw["ID"])
    frame["sex"] = np.where(raw["X2"] == 1, "male", "female")
    frame["age_band"] = np.select([raw["X5"] < 30, raw["X5"] < 45], ["under 30", "30-44"], "45+")
    frame["default"] = raw["Y"].astype(int)
    features = tuple(name for name in TAIWAN_NAMES.values() if name != "age_years")
    order = frame.sample(frac=1.0, random_state=1)
    parts = order.iloc[:20_000], order.iloc[20_000:]
    return tuple(Population(p.reset_index(drop=True), features, "default", ("sex", "age_band")) for p in parts)  # type: ignore[return-value]


def adult(data: Path) -> tuple[Population, Population]:
    """UCI Adult, as split by its publishers. The label ends with a full stop in the test file."""
    train_rows, test_rows = (
        pd.read_csv(data / "adult" / name, names=ADULT_COLUMNS, skipinitialspace=True, na_values="?", comment="|")
        for name in ("adult.data", "adult.test")
    )
    categories = {
        column: sorted(train_rows[column].dropna().unique())
        for column in ("workclass", "education", "marital_status", "occupation", "relationship")
    }
    parts = []
    for number, rows in enumerate((train_rows, test_rows)):
        rows = rows.dropna(subset=["income"]).reset_index(drop=True)
        frame = pd.DataFrame({"case_id": np.arange(len(rows)) + (number + 1) * 1_000_000})
        for column in ("education_num", "capital_gain", "capital_loss", "hours_per_week"):
            frame[column] = rows[column].astype(float)
        for column, known in categories.items():
            frame[column] = pd.Categorical(rows[column], categories=known).codes.astype(float)
        frame["sex"] = rows["sex"]
        frame["race"] = rows["race"]
        frame["over_50k"] = rows["income"].str.rstrip(".").eq(">50K").astype(int)
        features = ("education_num", "capital_gain", "capital_loss", "hours_per_week", *categories)
        parts.append(Population(frame, features, "over_50k", ("sex", "race")))
    return parts[0], parts[1]


def taiwan_case(cast: Cast, data: Path) -> None:
    """A credit model on real applicants: champion approved, challenger in review."""
    training, evaluation = taiwan(data)
    champion, challenger = train(training, seed=1), train(training, seed=2)
    common: dict[str, Any] = {
        "system": "taiwan-default",
        "training": training,
        "evaluation": evaluation,
        "source": "s3://lake/credit/applications/taiwan-2005.csv",
        "intended_use": "Decides whether the credit card limit of a customer is raised.",
        "limitations": "Taiwan, 2005. Undocumented codes in education and marriage were left out.",
        "owner": "credit-risk",
        "governance": standard_facts("credit", **{"data.consent_basis": "contract"}),
        "sensitive": ["sex"],
    }
    unit, dana = cast.units["lending"], cast.people["dana"]
    approve_red(
        cast, settled(hand_in(dana, unit, build(version="1.0.0", candidate=champion, champion=None, answers=FIRST, **common)))
    )
    settled(hand_in(dana, unit, build(version="1.1.0", candidate=challenger, champion=champion, **common)))


def adult_case(cast: Cast, data: Path) -> None:
    """Income on Adult: the selection rates of women and men differ by far, and the fairness gate says so."""
    training, evaluation = adult(data)
    new = build(
        system="adult-income",
        version="1.0.0",
        candidate=train(training, seed=1),
        champion=None,
        training=training,
        evaluation=evaluation,
        source="s3://lake/credit/applications/adult-1994.csv",
        intended_use="Estimates income for a first credit limit.",
        limitations="United States, 1994 census.",
        owner="credit-risk",
        governance=standard_facts("credit", **{"data.consent_basis": "contract"}),
        answers=FIRST,
        sensitive=["sex", "race"],
    )
    settled(hand_in(cast.people["dana"], cast.units["lending"], new))


def acs_case(cast: Cast, data: Path) -> None:
    """ACS income with published predictions: 332,900 rows, two real models, files in different row order."""
    rows = pd.read_parquet(data / "folktables" / "ACSIncome.test.parquet").reset_index()
    rows["sex"] = np.where(rows["SEX"] == 1.0, "male", "female")
    rows["race"] = "race " + rows["RAC1P"].astype(str)
    columns = {"label": "PINCP", "prediction": "predictions", "id": "index", "sensitive": ["sex", "race"]}

    def scored(name: str) -> pd.DataFrame:
        predictions = pd.read_parquet(data / "folktables" / "predictions" / name).reset_index()
        return predictions.merge(rows[["index", "PINCP", "sex", "race"]], on="index", validate="one_to_one")

    features = ["AGEP", "COW", "SCHL", "MAR", "OCCP", "POBP", "RELP", "WKHP"]
    champion, candidate = scored("lightgbm_baseline.57.parquet"), scored("fairgbm_folktables.29.parquet")
    for version, own, other in (("57.0", champion, None), ("29.0", candidate, champion)):
        run = RunFacts(
            system="acs-income",
            version=version,
            framework="lightgbm",
            model_class="lightgbm.sklearn.LGBMClassifier" if other is None else "fairgbm.FairGBMClassifier",
            serialization="lightgbm",
            features=features,
            label="PINCP",
            auc=float((own["predictions"] == own["PINCP"]).mean()),
            threshold=0.5,
            source_uri="s3://lake/credit/applications/acs-2018.parquet",
            intended_use="Estimates income for a first credit limit.",
            limitations="United States, 2018 census survey. Decisions only: the published files hold no scores.",
            owner="credit-risk",
            trained_by="dana.okafor",
            dataset_digest=frame_digest(rows[["index", "PINCP"]]),
            governance=standard_facts("credit", **{"data.consent_basis": "contract"}),
        )
        evidence: dict[EvidenceRole, Any] = {
            EvidenceRole.CANDIDATE_PREDICTIONS: ("candidate.parquet", parquet(own), columns, ""),
            EvidenceRole.REFERENCE_SAMPLE: ("reference.parquet", parquet(rows[features].head(50_000)), {}, ""),
            EvidenceRole.CURRENT_SAMPLE: ("current.parquet", parquet(rows[features].tail(50_000)), {}, ""),
        }
        if other is not None:
            evidence[EvidenceRole.BASELINE_PREDICTIONS] = ("champion.parquet", parquet(other), columns, "")
        files = all_files(run, rows.head(1000))
        settled(
            hand_in(
                cast.people["dana"],
                cast.units["lending"],
                Version("acs-income", version, files, evidence, FIRST if other is None else {}),
            )
        )


def compas_case(cast: Cast, data: Path) -> None:
    """COMPAS: the published scores as a vendor's model. The false positive rates ProPublica reported are what the gate finds."""
    rows = pd.read_csv(data / "compas" / "compas-scores-two-years.nopii.csv")
    frame = pd.DataFrame(
        {
            "case_id": np.arange(len(rows)),
            "label": rows["two_year_recid"].astype(int),
            "decision": (rows["score_text"] != "Low").astype(int),
            "race": rows["race"],
            "sex": rows["sex"],
        }
    )
    columns = {"label": "label", "prediction": "decision", "id": "case_id", "sensitive": ["race", "sex"]}
    run = RunFacts(
        system="compas",
        version="1.0.0",
        framework="pyfunc",
        model_class="vendor.Compas",
        serialization="opaque",
        features=["decile_score"],
        label="two_year_recid",
        auc=0.70,
        threshold=0.5,
        source_uri="s3://lake/justice/broward-2016.csv",
        intended_use="Scores the risk that a defendant offends again within two years.",
        limitations="Broward County, 2013 and 2014. The two-year set keeps too many recidivists.",
        owner="vendor-models",
        trained_by="vendor",
        dataset_digest=frame_digest(frame),
        governance=standard_facts("other", **{"vendor.third_party": True, "data.consent_basis": "public_task"}),
    )
    evidence = {EvidenceRole.CANDIDATE_PREDICTIONS: ("compas.parquet", parquet(frame), columns, "")}
    with_label = frame.assign(decile_score=rows["decile_score"].astype(float), two_year_recid=frame["label"])
    new = Version("compas", "1.0.0", all_files(run, with_label), evidence, FIRST)
    settled(hand_in(cast.people["dana"], cast.units["lending"], new))


PUBLIC: tuple[tuple[str, str, str, Callable[[Cast, Path], None]], ...] = (
    ("taiwan/UCI_Credit_Card.csv", "taiwan-default", "1.1.0", taiwan_case),
    ("adult/adult.data", "adult-income", "1.0.0", adult_case),
    ("folktables/ACSIncome.test.parquet", "acs-income", "29.0", acs_case),
    ("compas/compas-scores-two-years.nopii.csv", "compas", "1.0.0", compas_case),
)
