"""The shop's cases: a green retrain, personal data that is no ban, a budget and an A/B test."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.utils import timezone

from gates.simulator.models import train
from gates.simulator.operations import AbTest, LoadTest
from gates.simulator.populations import Population, shop
from governance.selectors.access import caller_for
from reviews.demo.cast import Cast, approve_red, overdue, readings_of
from reviews.demo.handing_in import build, hand_in, settled
from reviews.demo.in_use import watched
from reviews.demo.usual import EVAL_ROWS, FIRST, SHOP_FACTS, TRAIN_ROWS, experiment, offer_costs, standard_facts
from reviews.selectors.columns import columns_of
from reviews.services.marking import NewMark, mark_column


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
    retrained = build(version="4.1.0", candidate=retrain, champion=base, training=training, **common)
    watched(cast, settled(hand_in(dana, unit, retrained)), training)
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


def with_feature(population: Population, name: str, seed: int) -> Population:
    """The same people with one more feature, drawn beside the label's equation: it carries a little signal."""
    rng = np.random.default_rng(seed)
    frame = population.frame.copy()
    frame[name] = rng.poisson(2 + 0.15 * frame[population.label]).astype(float)
    return Population(frame, (*population.features, name), population.label, population.sensitive)
