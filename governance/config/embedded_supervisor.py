"""Keeps the processes of the embedded stack running, and ends all of them when asked."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from governance.config.embedded_home import Home, State
from governance.config.embedded_postgres import StackProblem
from governance.config.embedded_processes import descendants, end, known

ROOT = Path(__file__).resolve().parents[2]
FIRST_PAUSE, LONGEST_PAUSE, STEADY = 1.0, 30.0, 60.0
LARGEST_LOG = 20 * 1024**2
_PR_SET_CHILD_SUBREAPER = 36


class StopAsked(BaseException):
    """Ctrl-C or a signal to stop. Not an Exception: nothing may swallow it on the way out."""


def say(text: str) -> None:
    print(text, flush=True)


@dataclass
class Child:
    """One process to keep running. `stop_last`: servers the others need while they end, stopped after them, in reverse order."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 6.0
    stop_last: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


class Supervisor:
    """The children of one home. Use as a context manager: leaving it ends everything that was started in it."""

    def __init__(self, home: Home, state: State, *, with_parent: bool = False) -> None:
        self.home, self.state = home, state
        self.children: list[Child] = []
        self.parent = os.getppid() if with_parent else None

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # under nohup it stays ignored
                signal.signal(number, self._asked)
        if sys.platform == "linux":  # grandchildren whose parent died come to us, to be ended with the rest
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.state.write(self.home)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_again)
        self.stop()

    @staticmethod
    def _asked(number: int, frame: FrameType | None) -> None:
        raise StopAsked(number)

    @staticmethod
    def _asked_again(number: int, frame: FrameType | None) -> None:
        say("Asked twice: killing what is left.")
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def log(self, name: str) -> Path:
        """The log file of a process; a very long one is set aside first."""
        path = self.home.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        return path

    def spawn(self, words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """A Python process of the project (`words` follow the interpreter), with the stack's environment, in its own group."""
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env={**os.environ, **self.state.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def add(self, child: Child) -> subprocess.Popen[bytes]:
        """Start a child and keep it running from now on."""
        self.children.append(child)
        return self._start(child)

    def _start(self, child: Child) -> subprocess.Popen[bytes]:
        child.process = child.start()
        child.started = time.monotonic()
        self._note(child.name, child.process)
        return child.process

    def _note(self, name: str, process: subprocess.Popen[bytes]) -> None:
        found = known(process.pid)
        if found:
            self.state.children[name] = found
            self.state.write(self.home)

    def look_after(self) -> None:
        """Start again what died, with growing pauses; to be called a few times a second. StopAsked when the parent is gone."""
        if self.parent is not None and os.getppid() != self.parent:
            raise StopAsked
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):  # pool processes that outlived it
                    os.killpg(child.process.pid, signal.SIGKILL)
                if now - child.started > STEADY:
                    child.pause = FIRST_PAUSE
                code = child.process.returncode
                how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
                say(f"{child.name} ended ({how}). Starting it again in {child.pause:.0f} s. Its log: {child.log}")
                child.process, child.due, child.pause = None, now + child.pause, min(child.pause * 2, LONGEST_PAUSE)
            elif child.process is None and now >= child.due:
                try:
                    self._start(child)
                except (OSError, StackProblem) as problem:
                    say(f"{child.name} could not be started: {problem}")
                    child.due, child.pause = now + child.pause, min(child.pause * 2, LONGEST_PAUSE)
                else:
                    say(f"{child.name} is started again.")

    def wait_for(self, name: str, ready: Callable[[], bool], seconds: float = 120.0) -> None:
        """Until `ready` holds; raises StackProblem with the end of the child's log when it takes too long."""
        until = time.monotonic() + seconds
        while not ready():
            self.look_after()
            if time.monotonic() > until:
                log = self.log(name)
                raise StackProblem(f"{name} did not come up in {seconds:.0f} s. The end of {log}:\n{tail(log)}")
            time.sleep(0.1)

    def begin(self, name: str, words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a command of the project that is to come to an end by itself; tell `finished` when it has."""
        process = self.spawn(words, log)
        self._note(name, process)
        return process

    def finished(self, name: str) -> None:
        """The command has ended and is not looked for any more."""
        self.state.children.pop(name, None)
        self.state.write(self.home)

    def once(self, name: str, words: Sequence[str]) -> None:
        """Run a command of the project to its end; raises StackProblem with the end of its log when it fails."""
        log = self.log(name)
        process = self.begin(name, words, log)
        while process.poll() is None:
            self.look_after()
            time.sleep(0.05)
        self.finished(name)
        if process.returncode:
            raise StackProblem(f"`{name}` failed with exit code {process.returncode}. The end of {log}:\n{tail(log)}")

    def stop(self) -> None:
        """End every child and whatever any of them started; the servers go last."""
        self.state.stopping = True
        self.state.write(self.home)
        servers = {child.process.pid: child for child in self.children if child.stop_last and child.process}
        theirs = descendants(*servers) | set(servers)
        direct = [child.process.pid for child in self.children if child.process and not child.stop_last]
        end(filter(None, map(known, direct)), seconds=6.0)
        end([stray for stray in map(known, descendants(os.getpid())) if stray and stray.pid not in theirs], seconds=2.0)
        for pid, child in reversed(servers.items()):
            server = known(pid)
            if server:
                end([server], first=child.stop_signal, seconds=child.stop_seconds)
        for child in self.children:
            if child.process:
                child.process.wait()
        shutil.rmtree(self.home.sockets(), ignore_errors=True)
        State.forget(self.home)
