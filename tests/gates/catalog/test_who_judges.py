"""Which role reads which gate, and that the gate's page says it; 1.25 and 0.8 are one limit."""

from __future__ import annotations

from html import unescape

import pytest
from django.utils.html import strip_tags

from gates import registry
from gates.disparity import judge_ratio
from gates.spec import Measure, Measured, Mode
from governance.domain.vocabulary import Role, Track, Verdict
from governance.selectors.policy import pack_in_force
from tests.governance import making


@pytest.mark.django_db
def test_fairness_and_explanations_on_red_belong_to_the_analyst() -> None:
    making.policy()
    pack = pack_in_force("ml_model")[1]
    on_red = {use.gate for use in pack.gates if Track.RED in use.tracks}
    concerned = {code for code in registry.gates() if code.startswith(("GF", "GX"))} & on_red
    assert len(concerned) >= 6
    assert {registry.gate(code).read_by for code in concerned} == {Role.ANALYST}
    assert pack.document.tracks[Track.RED].steps[0].role is Role.ANALYST


@pytest.mark.django_db
@pytest.mark.parametrize("code", list(registry.gates()))
def test_the_page_says_how_it_is_judged_and_who_reads_it(code: str) -> None:
    gate = registry.gate(code)
    page = unescape(strip_tags(making.browser(making.person()).get(f"/gates/{code}").content.decode()))
    words = {Mode.AUTOMATIC: "automatic", Mode.HUMAN: "human", Mode.AUTOMATIC_WITH_READING: "automatic with reading"}
    assert f"Judged{words[gate.mode]}; read by the {Role(gate.read_by).label}" in page


def pair(ratio: float) -> Measured:
    """Two large groups whose selection rates have that ratio."""
    rates = {"lower": "sex=f", "higher": "sex=m", "lower_rate": 0.5 * ratio, "higher_rate": 0.5}
    row = Measure("fairness.selection_rate_pair", ratio, "sex=f | sex=m", ratio - 0.01, ratio + 0.01, 100_000, detail=rates)
    return Measured((row,))


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(1.0, Verdict.PASS), (0.81, Verdict.PASS), (0.8, Verdict.PASS), (0.79, Verdict.FAIL), (0.5, Verdict.FAIL)],
)
def test_a_ratio_of_0_8_and_a_disparity_of_1_25_are_the_same_limit(ratio: float, verdict: Verdict) -> None:
    common = {"strict": True, "warn_unknown": 0.05, "max_unknown": 0.2}
    told = [
        judge_ratio(pair(ratio), {**common, **limit}, "selection_rate", "Selection rate", "Mend it.")
        for limit in ({"min_ratio": 0.8}, {"max_ratio": 1.25, "min_ratio": 0.0})
    ]
    assert [result.verdict for result in told] == [verdict, verdict]
    if verdict is Verdict.FAIL:
        for result in told:
            assert f"{ratio:.3f}" in result.says and f"{1 / ratio:.3f} the other way round" in result.says
