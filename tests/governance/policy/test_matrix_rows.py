"""The decision matrix of the shipped pack: a routing case for every row, and how rows are chosen."""

from __future__ import annotations

import pytest

from gates.registry import gates
from governance.domain.vocabulary import Role, Severity
from governance.policy import route
from governance.policy.steps import Routing
from tests.governance.policy.cases import pack

PACK = pack()

# row -> what findings are about, as gates and rules name it
ROUTED = {
    "DM-01": ("GP101", Role.PLATFORM_ENGINEER, Role.RISK_OFFICER),
    "DM-02": ("GF105", Role.ANALYST, Role.ETHICS),
    "DM-03": ("GX104", Role.ANALYST, Role.RISK_OFFICER),
    "DM-04": ("GD112", Role.PRIVACY, Role.LEGAL),
    "DM-05": ("GD108", Role.PRIVACY, Role.LEGAL),
    "DM-06": ("GD101", Role.PLATFORM_ENGINEER, Role.ANALYST),
    "DM-07": ("rollout.rollback_target", Role.PLATFORM_ENGINEER, Role.SECURITY),
    "DM-08": ("GC101", Role.BUDGET_OWNER, Role.PRODUCT),
    "DM-09": ("GM101", Role.PLATFORM_ENGINEER, Role.ANALYST),
    "DM-10": ("GE101", Role.PLATFORM_ENGINEER, Role.ANALYST),
    "DM-11": ("performance.metric", Role.ANALYST, Role.RISK_OFFICER),
}


@pytest.mark.parametrize("row", ROUTED)
def test_each_row_answers_for_its_issue(row: str) -> None:
    about, responsible, escalates_to = ROUTED[row]
    found = route(PACK.document.matrix, about, Severity.HIGH)
    assert found is not None
    assert (found.id, found.responsible, found.escalates_to) == (row, responsible, escalates_to)


def test_every_row_has_a_case_and_every_gate_of_the_pack_a_row() -> None:
    assert [row.id for row in PACK.document.matrix] == list(ROUTED)
    used = {use.gate for use in PACK.gates}
    assert used <= set(gates())
    assert {code for code in used if route(PACK.document.matrix, code, Severity.CRITICAL) is None} == set()


def test_the_most_exact_row_counts_and_what_is_too_small_goes_to_nobody() -> None:
    def row(number: str, about: str, **more: object) -> Routing:
        return Routing.model_validate(
            {
                "id": number, "issue": "i", "about": [about], "responsible": "analyst", "accountable": "analyst",
                "escalates_to": "risk_officer", "after": "1d", **more,
            }
        )  # fmt: skip

    rows = (row("DM-01", "*"), row("DM-02", "GD"), row("DM-03", "GD10", from_severity="critical"))
    assert [getattr(route(rows, about, Severity.HIGH), "id", None) for about in ("GX101", "GD101")] == ["DM-01", "DM-02"]
    assert getattr(route(rows, "GD101", Severity.CRITICAL), "id", None) == "DM-03"
    assert route(rows, "GD101", Severity.LOW) is None
