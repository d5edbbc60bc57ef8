"""Runs collectors on untrusted files in a child process with almost no rights, and survives whatever happens there.

`run(names, inputs)` yields one `Ran` per collector, in order: measured, failed with a plain reason, or not run because an
earlier one took the child down (run those again on their own). Pictures are drawn to SVG in a second child, which sees
specifications and no evidence.

Safe to call from a Celery prefork worker: no threads, no multiprocessing, no signal handlers. Nothing is retried here.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from gates import registry
from gates.collecting import Collected, Doing, Inputs, Picture
from gates.wire import WireError, decode, decode_doing, plain

GIB = 1024**3
ROOT = str(Path(__file__).resolve().parents[1])
_BOOT = "import json, sys; sys.path[:0] = json.loads(sys.argv[1]); from gates.child import main; main()"
_STDERR_KEPT = 4_000


@dataclass(frozen=True)
class SandboxLimits:
    """What one child may use. Seconds are per collector; memory is address space while measuring."""

    memory_bytes: int = 4 * GIB
    wall_seconds: float = 300.0
    cpu_seconds: int = 300
    file_bytes: int = 64 * 1024 * 1024
    open_files: int = 256
    answer_bytes: int = 64 * 1024 * 1024
    threads: int = 2
    drawing_memory_bytes: int = 2 * GIB
    drawing_seconds: float = 60.0


LIMITS = SandboxLimits()
Told = Callable[[str, Doing], None]


class Status(StrEnum):
    """`done`: there is a `Collected` (which may say why nothing could be measured); `failed`: this collector broke; `not_run`:
    another did.
    """

    DONE = "done"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Ran:
    """One collector's run. `reason` is a sentence for people, `detail` is for the technical log.

    `svgs`: picture key -> theme (`light`, `dark`) -> SVG text; a picture that could not be drawn is absent, its table remains.
    `held`: which layers of confinement the kernel gave.
    """

    collector: str
    status: Status
    collected: Collected | None = None
    svgs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reason: str = ""
    detail: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_megabytes: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, bool] = field(default_factory=dict)


def run(
    collectors: Sequence[str],
    inputs: Mapping[str, Inputs],
    *,
    limits: SandboxLimits = LIMITS,
    pictures: bool = True,
    beat: Callable[[], None] | None = None,
    told: Told | None = None,
) -> Iterator[Ran]:
    """Measure with registered collectors. `beat` is called about once a second while waiting (to keep a lease); it may raise
    to stop. `told` hears what each collector says it is doing, a few times a second at most.

    Raises KeyError for a name that is not registered or has no inputs; never for what happens in the child.
    """
    jobs = [(name, registry.collector(name).module, inputs[name]) for name in collectors]
    return run_modules(jobs, limits=limits, pictures=pictures, beat=beat, told=told)


def run_modules(
    jobs: Sequence[tuple[str, str, Inputs]],
    *,
    limits: SandboxLimits = LIMITS,
    pictures: bool = True,
    beat: Callable[[], None] | None = None,
    told: Told | None = None,
) -> Iterator[Ran]:
    """As `run`, with (name, module, inputs) given directly."""
    if not jobs:
        return
    with contextlib.ExitStack() as stack:
        request = {
            "mode": "measure",
            "collectors": [{"name": name, "module": module, "inputs": item.to_json()} for name, module, item in jobs],
            "rights": {
                "address_space": limits.memory_bytes,
                "data": 0,
                "cpu_seconds": limits.cpu_seconds * len(jobs),
                "file_bytes": limits.file_bytes,
                "open_files": limits.open_files,
            },
        }
        child = stack.enter_context(_Child(request, limits, beat, told))
        artist = stack.enter_context(_Artist(limits, beat))
        for name, _, _ in jobs:
            ran = _one(child, name, limits)
            if ran.status is Status.DONE and pictures and ran.collected and ran.collected.pictures:
                if told:
                    told(name, Doing("drawing its pictures"))
                ran = replace(ran, svgs=artist.draw(ran.collected.pictures))
            yield ran


def _one(child: _Child, name: str, limits: SandboxLimits) -> Ran:
    if child.ended:
        return Ran(
            name, Status.NOT_RUN, reason="Not run yet: another check in the same process broke off first.", held=child.held
        )
    started = time.monotonic()
    child.allow(limits.wall_seconds)
    try:
        line = child.read_result(name)
        collected = None if line["error"] else decode(line["collected"])
    except _ChildGone as gone:
        return Ran(
            name,
            Status.FAILED,
            reason=gone.reason,
            detail=child.stderr_tail(),
            exit_code=gone.exit_code,
            seconds=round(time.monotonic() - started, 3),
            held=child.held,
        )
    except (WireError, KeyError, TypeError, ValueError) as error:
        child.kill()
        return Ran(
            name, Status.FAILED, reason="The check gave an answer that cannot be read.", detail=str(error)[:500], held=child.held
        )
    measured: dict[str, Any] = {
        "seconds": float(line["seconds"]),
        "cpu_seconds": float(line["cpu_seconds"]),
        "peak_megabytes": int(line["peak_megabytes"]),
        "versions": {str(key): str(value) for key, value in dict(line["versions"]).items()},
        "held": child.held,
    }
    if line["error"] == "memory":
        return Ran(name, Status.FAILED, reason=_memory(limits), **measured)
    if line["error"]:
        reason = "The check stopped with an error of its own. The technical log has it; running it again will not change that."
        return Ran(name, Status.FAILED, reason=reason, detail=str(line["error"]), **measured)
    return Ran(name, Status.DONE, collected, **measured)


def _memory(limits: SandboxLimits) -> str:
    return (
        f"The check needed more than the {limits.memory_bytes / GIB:.0f} GB of memory it may use. "
        "Keep only the columns that are needed, or draw a stated sample."
    )


def environment(workdir: str, limits: SandboxLimits) -> dict[str, str]:
    """All the child gets to know of the world: nothing of the worker's own environment."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": workdir,
        "TMPDIR": workdir,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "OMP_NUM_THREADS": str(limits.threads),
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": str(limits.threads),
        "NUMBA_CACHE_DIR": workdir,
        "MPLCONFIGDIR": workdir,
        "JOBLIB_MULTIPROCESSING": "0",
        "LOKY_MAX_CPU_COUNT": "1",
        "MALLOC_ARENA_MAX": "2",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


class _ChildGone(Exception):
    """The child ended, or was ended, before it answered."""

    def __init__(self, reason: str, exit_code: int | None) -> None:
        super().__init__(reason)
        self.reason, self.exit_code = reason, exit_code


class _Child:
    """The process, its answer pipe and the clock. Used as a context: leaving it kills the process group and removes the
    working folder.
    """

    def __init__(
        self, request: Mapping[str, Any], limits: SandboxLimits, beat: Callable[[], None] | None, told: Told | None = None
    ) -> None:
        self.request, self.limits, self.beat, self.told = request, limits, beat, told
        self._beaten = time.monotonic()
        self.held: dict[str, bool] = {}
        self.ended = False
        self._received = 0
        self._buffer = b""
        self._stderr = b""
        self._deadline = time.monotonic()

    def __enter__(self) -> _Child:
        self.workdir = tempfile.mkdtemp(prefix="guiderail-check-")
        self._read_end, write_end = os.pipe()
        entries = [ROOT, *(entry for entry in sys.path if entry and entry != ROOT and Path(entry).is_dir())]
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-c", _BOOT, json.dumps(entries)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(write_end,),
                start_new_session=True,
                env=environment(self.workdir, self.limits),
                cwd=self.workdir,
            )
        except OSError:
            os.close(self._read_end)
            shutil.rmtree(self.workdir, ignore_errors=True)
            raise
        finally:
            os.close(write_end)
        self._selector = selectors.DefaultSelector()
        for end in (self._read_end, self.process.stderr.fileno()):  # type: ignore[union-attr]
            os.set_blocking(end, False)
            self._selector.register(end, selectors.EVENT_READ)
        self.send({**self.request, "out": write_end, "workdir": self.workdir})
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._selector.close()
        os.close(self._read_end)
        for stream in (self.process.stdin, self.process.stderr):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()
        shutil.rmtree(self.workdir, ignore_errors=True)

    def allow(self, seconds: float) -> None:
        """Start the clock for the next answer."""
        self._deadline = time.monotonic() + seconds

    def send(self, line: Mapping[str, Any]) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(line, allow_nan=False).encode() + b"\n")
            stdin.flush()

    def read_result(self, name: str) -> dict[str, Any]:
        """The result line of a collector. Raises _ChildGone, or ValueError for a line of another form."""
        while True:
            line = json.loads(self.read_line())
            if line["event"] == "confined":
                self.held = {str(key): bool(value) for key, value in line["held"].items()}
            elif line["event"] == "result" and line["collector"] == name:
                return dict(line)
            elif line["event"] in ("start", "doing") and line["collector"] == name:
                if self.told:
                    self.told(name, decode_doing(line))
            else:
                raise ValueError(f"unexpected {line['event']!r}")

    def read_line(self) -> bytes:
        """The next line of the answer pipe; waits, beats, and ends the child when its time or answer size is used up."""
        while b"\n" not in self._buffer:
            now = time.monotonic()
            if now > self._deadline:
                self.kill()
                raise _ChildGone("The check was stopped: it took longer than it may. Use fewer rows or columns.", 137)
            if self._received > self.limits.answer_bytes:
                self.kill()
                raise _ChildGone("The check was stopped: its answer grew beyond what is accepted.", 137)
            for key, _ in self._selector.select(timeout=min(1.0, self._deadline - now + 0.01)):
                chunk = os.read(key.fd, 1 << 16)
                if key.fd != self._read_end:
                    self._stderr = (self._stderr + chunk)[-_STDERR_KEPT:]
                    if not chunk:
                        self._selector.unregister(key.fd)
                elif chunk:
                    self._received += len(chunk)
                    self._buffer += chunk
                else:
                    raise self._gone()
            # counted across lines: a child that tells much must not keep the lease from being renewed
            if self.beat and time.monotonic() - self._beaten >= 1.0:
                self.beat()
                self._beaten = time.monotonic()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def stderr_tail(self) -> str:
        """The end of what the child wrote to its error stream."""
        stream = self.process.stderr
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                while chunk := os.read(stream.fileno(), 1 << 16):
                    self._stderr = (self._stderr + chunk)[-_STDERR_KEPT:]
        return self._stderr.decode("utf-8", errors="replace")

    def kill(self) -> None:
        """End the whole process group and collect the process."""
        self.ended = True
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)

    def _gone(self) -> _ChildGone:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.kill()
        code = self.process.returncode
        shown = 128 - code if code < 0 else code
        text = self.stderr_tail()
        if "bad_alloc" in text or "MemoryError" in text or "out of memory" in text.lower():
            return _ChildGone(_memory(self.limits), shown)
        reasons = {
            128 + signal.SIGKILL: "The check was stopped by the system: it took too much memory or time.",
            128 + signal.SIGXCPU: "The check was stopped: it used more processor time than it may. Use fewer rows or columns.",
            128 + signal.SIGXFSZ: "The check was stopped: it tried to write more than it may.",
        }
        crash = (
            f"The check crashed while working on the evidence (exit {shown}). A file is probably damaged or made to do harm: "
            "write it again with the usual tools and upload it."
        )
        return _ChildGone(reasons.get(shown, crash), shown)


class _Artist:
    """Draws pictures in a child of its own, started with the first one. A picture that fails is left out, nothing else is
    lost.
    """

    def __init__(self, limits: SandboxLimits, beat: Callable[[], None] | None) -> None:
        self.limits, self.beat = limits, beat
        self.child: _Child | None = None

    def __enter__(self) -> _Artist:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child is not None:
            self.child.__exit__()

    def draw(self, pictures: Sequence[Picture]) -> dict[str, dict[str, str]]:
        drawn: dict[str, dict[str, str]] = {}
        for picture in pictures:
            if self.child is None:
                self.child = self._start()
            if self.child.ended:
                break
            self.child.allow(self.limits.drawing_seconds)
            try:
                self.child.send(plain(picture.spec))
                line = json.loads(self.child.read_line())
                if line["event"] == "confined":
                    line = json.loads(self.child.read_line())
                if line["svgs"]:
                    drawn[picture.key] = {str(theme): str(svg) for theme, svg in line["svgs"].items()}
            except (_ChildGone, ValueError, KeyError, TypeError, AttributeError):
                self.child.kill()
        return drawn

    def _start(self) -> _Child:
        # The drawing runtime reserves far more address space than it uses, so its *data* are bounded instead.
        rights = {
            "address_space": 0,
            "data": self.limits.drawing_memory_bytes,
            "cpu_seconds": int(self.limits.drawing_seconds) * 10,
            "file_bytes": self.limits.file_bytes,
            "open_files": self.limits.open_files,
        }
        return _Child({"mode": "draw", "rights": rights}, self.limits, self.beat).__enter__()
