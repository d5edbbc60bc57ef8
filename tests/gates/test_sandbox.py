"""The sandbox, for real: every test here starts child processes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gates.collecting import Inputs
from gates.sandbox import GIB, Ran, SandboxLimits, Status, run_modules

MODULE = "tests.gates.hostile"
SMALL = SandboxLimits(memory_bytes=GIB, wall_seconds=20, cpu_seconds=20)


def ran(*actions: str, limits: SandboxLimits = SMALL, **settings: object) -> list[Ran]:
    jobs = [(f"{index}-{action}", MODULE, Inputs(settings={"do": action, **settings})) for index, action in enumerate(actions)]
    return list(run_modules(jobs, limits=limits))


def test_a_measurement_comes_back_whole_with_its_pictures() -> None:
    (got,) = ran("measure")
    assert got.status is Status.DONE
    assert got.collected is not None
    (measure,) = got.collected.measures
    assert (measure.metric, measure.value, measure.low, measure.high, measure.n, measure.detail) == (
        "test.value",
        1.5,
        1.0,
        2.0,
        7,
        {"level": 0.95},
    )
    assert set(got.svgs) == {"rates"}, "the picture that reads a file is left out, the other is drawn"
    assert set(got.svgs["rates"]) == {"light", "dark"}
    assert got.svgs["rates"]["light"].startswith("<svg")
    assert got.svgs["rates"]["light"] != got.svgs["rates"]["dark"]
    assert got.versions["python"]
    assert got.held["limits"] and got.held["no_new_privileges"]


def test_unusable_evidence_is_a_result_with_the_way_out() -> None:
    (got,) = ran("problem")
    assert got.status is Status.DONE
    assert got.collected is not None
    assert got.collected.not_measured == "a.csv: expected x, found y. Do z."


def test_an_error_keeps_cell_values_out_of_the_reason_and_lets_the_next_collector_run() -> None:
    broken, after = ran("raise", "measure")
    assert broken.status is Status.FAILED
    assert "secret" not in broken.reason
    assert "RuntimeError" in broken.detail
    assert after.status is Status.DONE


@pytest.mark.parametrize(("action", "code"), [("segfault", 139), ("abort", 134)])
def test_a_crash_costs_one_collector_and_keeps_what_was_measured_before(action: str, code: int) -> None:
    before, crashed, after = ran("measure", action, "measure")
    assert before.status is Status.DONE
    assert crashed.status is Status.FAILED
    assert crashed.exit_code == code
    assert "crashed" in crashed.reason
    assert after.status is Status.NOT_RUN


def test_memory_beyond_the_limit_is_refused_in_words() -> None:
    (got,) = ran("memory")
    assert got.status is Status.FAILED
    assert "1 GB of memory" in got.reason


def test_time_beyond_the_limit_ends_the_child() -> None:
    limits = SandboxLimits(memory_bytes=GIB, wall_seconds=3, cpu_seconds=20)
    got, after = ran("sleep", "measure", limits=limits)
    assert (got.status, got.exit_code, after.status) == (Status.FAILED, 137, Status.NOT_RUN)
    assert "longer than it may" in got.reason
    assert got.seconds < 10


def test_processor_time_is_limited_by_the_kernel() -> None:
    (got,) = ran("spin", limits=SandboxLimits(memory_bytes=GIB, wall_seconds=30, cpu_seconds=2))
    assert got.status is Status.FAILED
    assert "processor time" in got.reason


def test_an_answer_that_is_too_large_or_not_of_the_form_is_refused() -> None:
    flood, *_ = ran("flood", limits=SandboxLimits(memory_bytes=GIB, wall_seconds=20, answer_bytes=1_000_000))
    assert flood.status is Status.FAILED
    assert "answer grew" in flood.reason
    nonsense, *_ = ran("nonsense")
    assert nonsense.status is Status.FAILED
    assert "cannot be read" in nonsense.reason


def test_the_child_reaches_nothing_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("SECRET_KEY", "secret")
    outside = tmp_path / "evidence"
    outside.write_text("original")
    with socket.create_server(("127.0.0.1", 0)) as server:
        (got,) = ran("look_around", port=server.getsockname()[1], outside=str(outside))
    assert got.collected is not None, got.detail
    seen = {measure.metric: measure.value for measure in got.collected.measures}
    assert seen["database_url"] == 0
    assert seen["thread"] == 1
    assert seen["write_own"] == 1
    if not got.held["system_calls"] or not got.held["files"]:
        pytest.skip("this kernel offers neither seccomp nor Landlock")
    assert {name: seen[name] for name in seen if name not in ("thread", "write_own")} == dict.fromkeys(
        ("network", "fork", "program", "parent_environment", "parent_signal", "write_outside", "database_url"), 0.0
    )
    assert outside.read_text() == "original"


def test_it_beats_while_waiting_and_stops_when_the_beat_raises() -> None:
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 2:
            raise InterruptedError("the lease is lost")

    jobs = [("slow", MODULE, Inputs(settings={"do": "sleep"}))]
    with pytest.raises(InterruptedError):
        list(run_modules(jobs, limits=SMALL, beat=beat))
    assert len(beats) == 2


def children() -> set[str]:
    """Process ids of this process's children, zombies too."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_no_child_and_no_folder_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = children()
    running = run_modules(
        [("a", MODULE, Inputs(settings={"do": "measure"})), ("b", MODULE, Inputs(settings={"do": "sleep"}))], limits=SMALL
    )
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
    assert children() == before
