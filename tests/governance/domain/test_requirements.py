"""Six states of a requirement: what is unknown is never green."""

from __future__ import annotations

import itertools

import pytest

from governance.domain.requirements import Requirement, requirement_of
from governance.domain.vocabulary import RunStatus, Verdict


@pytest.mark.parametrize(
    ("verdict", "waived", "runs", "state"),
    [
        ("pass", False, ["done"], "satisfied"),
        ("warn", False, [], "satisfied"),
        ("fail", False, ["done"], "unsatisfied"),
        ("fail", True, ["done"], "waived"),
        ("fail", True, ["done", "running"], "running"),
        ("pass", False, ["queued"], "running"),
        ("not_applicable", False, ["done"], "not_applicable"),
        ("not_assessed", False, ["error"], "error"),
        ("not_assessed", True, ["done"], "unsatisfied"),  # nobody knows what a waiver would accept
        ("fail", False, ["error"], "unsatisfied"),
        ("", False, ["cancelled"], "unsatisfied"),
        ("", False, ["error", "done"], "error"),
        ("something new", False, [], "unsatisfied"),
    ],
)
def test_each_state(verdict: str, waived: bool, runs: list[str], state: str) -> None:
    assert requirement_of(verdict, waived=waived, runs=runs) is Requirement(state)


def test_what_is_unknown_is_never_satisfied_and_a_waiver_never_makes_a_pass() -> None:
    statuses = [s.value for s in RunStatus]
    for verdict, waived, first, second in itertools.product(["", *Verdict], (False, True), statuses, statuses):
        state = requirement_of(verdict, waived=waived, runs=[first, second])
        if state is Requirement.SATISFIED:
            assert verdict in (Verdict.PASS, Verdict.WARN)
        if state is Requirement.WAIVED:
            assert verdict == Verdict.FAIL and waived
