"""A first-time analyst finds on one page, without help: what changed against the champion, the worst group, the least stable
explanation, and what is missing. Read from the page as it is served, in the words that stand there.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import Track
from governance.models import Submission
from reviews.services.deciding import decide
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db

_USE = {"why": "w", "tracks": ["green", "yellow", "red"], "blocking": True, "note": "convention"}
WORST = "Women under 25 are selected 0.52 times as often as men over 60, limit >= 0.80."
STABLE = "The ranking of tenure moved from place 2 to place 7; rank correlation 0.41, limit >= 0.70."


@pytest.fixture(autouse=True)
def _asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack asks for stable explanations, which rest on the model: a file that this case did not bring."""
    plain = making.policy
    use = {**_USE, "gate": "GX101", "needs": {"candidate_model": "Explanations are computed from it."}}
    monkeypatch.setattr(making, "policy", lambda *gates: plain(*(gates or (use,))))


def case(*gates: Gate, champion: bool = True) -> Submission:
    people = making.everybody()
    facts = making.facts_for(Track.RED, performance__metrics={"auc": 0.78}, model__features=["age", "zip"])
    row = making.in_review(gates=gates, facts=facts)
    if champion:
        had = making.facts_for(Track.YELLOW, performance__metrics={"auc": 0.80}, model__features=["age"])
        first = making.in_review(Track.YELLOW, version="1.4", gates=(Gate("GP101", extra={"observed": 0.80}),), facts=had)
        pia = making.call(people["pia"])
        decide(caller=pia, submission_id=first.pk, dossier_digest=first.dossier_digest, decision=making.approve())
        Submission.objects.filter(pk=row.pk).update(champion=first)
    return making.fresh(row)


def at_a_glance(row: Submission) -> tuple[str, dict[str, tuple[str, str]]]:
    """The page, and per question of its first box the answer in words and where its link leads."""
    client = Client()
    client.force_login(making.everybody()["amir"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/submissions/{row.number}").content.decode()
    box = page[page.index('<section class="section" id="glance">') :]
    box = box[: box.index("</section>")]
    lines = re.findall(r"<dt>(.*?)</dt><dd>(.*?)<a href=\"(.*?)\">", box, flags=re.DOTALL)
    return page, {unescape(asks): (unescape(says).strip(), unescape(href)) for asks, says, href in lines}


def test_the_four_answers_stand_first_and_lead_to_their_numbers() -> None:
    row = case(
        Gate("GP101", "warn", says="auc falls from 0.80 to 0.78, limit 0.01.", extra={"observed": 0.78}),
        Gate("GF101", says="Even by region.", extra={"group": "region=north"}),
        Gate("GF102", "fail", says=WORST, extra={"group": "sex=female & age=18-24"}),
        Gate("GX101", "fail", says=STABLE),
        Gate("GX103", "warn", says="Nobody read the explanations."),
    )
    page, found = at_a_glance(row)
    says: dict[str, str] = {asks: line[0] for asks, line in found.items()}
    assert list(says) == ["Against champion 1.4", "Worst group", "Least stable explanation", "What is missing"]
    assert says["Against champion 1.4"].startswith("auc falls from 0.80 to 0.78, limit 0.01.")
    assert says["Worst group"] == f"sex=female & age=18-24: {WORST}", "the failing group, though another gate names one first"
    assert says["Least stable explanation"] == STABLE
    assert "candidate model" in says["What is missing"] and "GF102 " in says["What is missing"]
    assert "GX101 unstable explanations" in says["What is missing"], "in words, not by code alone"

    begins = page.index('id="glance"')
    assert begins < page.index('id="why"') < page.index('id="requirements"'), "before anything one has to read through"
    for says_, href in found.values():
        where = href.partition("#")[2]
        assert says_ and page.count(f'id="{where}"') == 1, href
    assert found["Worst group"][1] == "#gate-GF102"

    # what is not satisfied stands open; what holds is one line that opens
    hold = page.index('class="disclose gates-hold"')
    for code in ("GP101", "GF102", "GX101", "GX103"):
        before = page[: page.index(f'id="gate-{code}"')]
        assert before.rfind("<details") < before.rfind("</details>") or before.count("<details") == before.count("</details>"), (
            code
        )
    inside = page[hold : page.index("</details>", page.index('id="gate-GF101"'))]
    assert "1 gate holds" in inside and 'id="gate-GF101"' in inside


@pytest.mark.parametrize(
    ("gates", "asks", "says"),
    [
        (
            (Gate("GX101", "not_applicable", says="There is no champion."),),
            "Least stable explanation",
            "Not compared: There is no",
        ),
        ((Gate("GP101"),), "Least stable explanation", "No gate compared explanations."),
        ((Gate("GP101"),), "Worst group", "No gate compared groups."),
        ((Gate("GP101"),), "Against the champion", "There is none: this is the first deployment."),
    ],
)
def test_what_nobody_measured_is_said_and_not_green(gates: Any, asks: str, says: str) -> None:
    page, found = at_a_glance(case(*gates, champion=False))
    assert found[asks][0].startswith(says)
    assert re.search(rf'glance-grey"><dt>{re.escape(asks)}', page)
