"""Processes of the embedded stack: who is alive, which one it really is, and how to end it with everything it started.

Standard library only, so that the supervisor stays small. Linux is read from /proc; elsewhere `ps` is asked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc/self/stat").exists()


@dataclass(frozen=True)
class Known:
    """A process as it was when it was noted: number and the moment it started, since numbers are given out again."""

    pid: int
    identity: str

    def alive(self) -> bool:
        return identity(self.pid) == self.identity


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout.strip()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the state on, or None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def identity(pid: int) -> str | None:
    """What tells this process from a later one with the same number; None when it is gone or a zombie."""
    if not _PROC:
        return _ps("-o", "lstart=", "-p", str(pid)) or None
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{boot.read_text().strip() if boot.exists() else ''}-{fields[19]}"


def known(pid: int) -> Known | None:
    """The process as it is now, to be recognised later; None when there is none."""
    found = identity(pid)
    return Known(pid, found) if found else None


def command_line(pid: int) -> list[str]:
    """The words a process was started with; empty when it is gone or hidden from us."""
    if not _PROC:
        return _ps("-o", "command=", "-p", str(pid)).split()
    try:
        return [word.decode(errors="replace") for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if word]
    except OSError:
        return []


def descendants(*roots: int) -> set[int]:
    """Every living process below the given ones (not themselves), whatever session or group it moved to."""
    children: dict[int, list[int]] = {}
    if _PROC:
        for entry in Path("/proc").iterdir():
            fields = _stat(int(entry.name)) if entry.name.isdigit() else None
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    else:
        for line in _ps("-A", "-o", "pid=,ppid=").splitlines():
            pid, parent = (int(word) for word in line.split())
            children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    pending = list(roots)
    while pending:
        below = [pid for pid in children.get(pending.pop(), []) if pid not in found]
        found.update(below)
        pending.extend(below)
    return found


def wait_gone(processes: Iterable[Known], seconds: float) -> bool:
    """True when all of them are gone before the time is up."""
    waiting = list(processes)
    until = time.monotonic() + seconds
    while True:
        waiting = [process for process in waiting if process.alive()]
        if not waiting or time.monotonic() > until:
            return not waiting
        time.sleep(0.05)


def send(process: Known, number: int, *, group: bool = False) -> None:
    """A signal to exactly this process (or its process group); nothing happens when it is gone already."""
    if not process.alive():
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)


def end(processes: Iterable[Known], *, first: int = signal.SIGTERM, seconds: float = 10.0) -> None:
    """End these processes and all they started: asked first, then forced. Returns when none is left."""
    roots = [process for process in processes if process.alive()]
    below = [process for process in map(known, descendants(*(root.pid for root in roots))) if process]
    for root in roots:
        send(root, first)
    if not wait_gone(roots, seconds):
        for root in roots:
            send(root, signal.SIGKILL, group=True)
    for process in below:  # what outlived its parent, or had moved to a session of its own
        send(process, signal.SIGTERM)
    if not wait_gone([*roots, *below], 2.0):
        for process in [*roots, *below]:
            send(process, signal.SIGKILL)
        wait_gone([*roots, *below], 5.0)
