"""When a worker is to be ended: exactly at the limit, and only when nothing speaks for it."""

from __future__ import annotations

from governance.config.worker_watch import Watch

LIMIT = 10.0


def looks(watch: Watch, *moments: float, waiting: bool = True, able: bool = True, taken: int = 3) -> list[bool]:
    return [watch.stuck(moment, waiting=waiting, able=able, taken=taken) for moment in moments]


def test_it_is_stuck_exactly_when_the_time_is_full() -> None:
    # the first look only learns how much was taken
    assert looks(Watch(LIMIT), 99.0, 100.0, 105.0, 109.999, 110.0, 111.0) == [False, False, False, False, True, True]


def test_whatever_speaks_for_it_begins_the_time_again() -> None:
    for better in ({"waiting": False}, {"able": False}, {"taken": 4}):
        watch = Watch(LIMIT)
        assert looks(watch, 99.0, 100.0, 109.0) == [False] * 3
        assert looks(watch, 109.5, **better) == [False]  # type: ignore[arg-type]
        taken = better.get("taken", 3)
        assert looks(watch, 110.0, 119.999, taken=taken) == [False, False], better
        assert looks(watch, 120.0, taken=taken) == [True], better


def test_a_worker_under_load_is_left_alone() -> None:
    watch = Watch(LIMIT)
    assert not any(watch.stuck(float(second), waiting=True, able=True, taken=second // 9) for second in range(300))
