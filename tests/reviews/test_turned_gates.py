"""Gates of past submissions judged again on stored measurements, under other limits and with moved figures."""

from __future__ import annotations

import pytest

from gates.models import GateOutcome, Measurement
from gates.registry import gates
from governance.domain.vocabulary import RunStatus, Track
from governance.policy import load_pack
from reviews.selectors.turned_gates import gates_to_judge, turned
from tests.gates import making
from tests.governance.policy import cases

pytestmark = pytest.mark.django_db

OLD, NEW = "limits: {psi_warn: 0.10, psi_fail: 0.25}", "limits: {psi_warn: 0.10, psi_fail: 0.15}"


def measured(psi: float) -> int:
    """A submission whose prediction drift was measured and passed or warned."""
    row = making.submission()
    type(row).objects.filter(pk=row.pk).update(track=Track.GREEN)
    (need,) = gates()["GD105"].needs
    for collector in gates()["GD105"].collectors:
        run = making.run(row, collector, status=RunStatus.DONE)
        Measurement.objects.create(run=run, submission=row, metric=need, value=psi, n=5_000)
    verdict = "warn" if psi >= 0.1 else "pass"
    GateOutcome.objects.create(
        submission=row, revision=row.revision, code="GD105", name="prediction-drift", verdict=verdict, blocking=False, says="x"
    )
    return row.pk


def test_a_stricter_limit_and_moved_figures_turn_what_was_measured_and_nothing_else_is_judged() -> None:
    assert OLD in cases.PACK_TEXT
    after = load_pack(cases.PACK_TEXT.replace(OLD, NEW), cases.QUESTIONNAIRE_TEXT)
    ids = [measured(0.05), measured(0.2)]
    assert [use.gate for use in gates_to_judge(cases.pack(), after, {})] == ["GD105"]
    assert turned(cases.pack(), after, {}, ids) == {
        "judged": 2,
        "turns": [{"gate": "GD105", "before": "warn", "after": "fail", "blocking": False, "count": 1}],
    }
    moved = turned(cases.pack(), cases.pack(), {"*psi*": 0.1}, ids)
    assert {(row["before"], row["after"], row["count"]) for row in moved["turns"] if row["gate"] == "GD105"} == {
        ("pass", "warn", 1),
        ("warn", "fail", 1),
    }
    assert turned(cases.pack(), cases.pack(), {}, ids) == {"judged": 0, "turns": []}
