"""The simulation of a month's work: repeatable, and right where the answer is known without it."""

from __future__ import annotations

import pytest

from governance.domain.workload import Team, simulate

MIX = {"green": 0.6, "yellow": 0.25, "red": 0.15}


def test_the_same_numbers_give_the_same_report() -> None:
    assert simulate(50, shares=MIX) == simulate(50, shares=MIX) != simulate(50, shares=MIX, seed=8)


def test_fifty_a_month_keep_their_time_where_machines_take_the_greater_part() -> None:
    few, many = simulate(5, shares=MIX), simulate(50, shares=MIX)
    assert few.sustainable and many.sustainable
    assert 0.5 < many.by_nobody < 0.7
    assert all(many.busy[role] > few.busy[role] for role in few.busy)
    # all of it by hand, as red: one analyst cannot
    by_hand = simulate(50, shares={"red": 1.0})
    assert not by_hand.sustainable and by_hand.outcomes[0].late > 0.45  # every analyst step; the risk officer waits for work


def test_green_waits_for_nobody_and_one_case_alone_takes_its_effort() -> None:
    (green,) = simulate(100, shares={"green": 1}).outcomes
    assert (green.median, green.ninetieth, green.late) == (0, 0, 0)
    alone = simulate(1, shares={"yellow": 1}, team=Team({"platform_engineer": 50}, 8.0, {"platform_engineer": 1.0}))
    assert 0.5 <= alone.outcomes[0].median <= 1.5


@pytest.mark.parametrize("wrong", [{"monthly": 0}, {"monthly": 5, "months": 0}, {"monthly": 5, "shares": {"red": 0.0}}])
def test_numbers_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs arrivals"):
        simulate(**{"shares": MIX, **wrong})  # type: ignore[arg-type]
