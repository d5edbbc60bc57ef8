"""Collectors that misbehave on purpose, for the sandbox tests. Each is chosen by `settings["do"]`."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, Picture
from gates.pictures import shapes
from gates.readers import tables
from gates.spec import Measure


def collect(inputs: Inputs) -> Collected:
    """Do what the settings say."""
    return {
        "measure": _measure,
        "problem": _problem,
        "raise": _raise,
        "segfault": _segfault,
        "abort": _abort,
        "memory": _memory,
        "sleep": _sleep,
        "spin": _spin,
        "flood": _flood,
        "look_around": _look_around,
        "nonsense": _nonsense,
        "load": _load,
    }[inputs.settings["do"]](inputs)


def _measure(inputs: Inputs) -> Collected:
    rows = [{"label": "a", "value": 0.4, "low": 0.3, "high": 0.5}]
    spec = shapes.points_with_intervals(rows, x_title="rate", limits=(0.45,))
    good = Picture("rates", "Rates", "One rate.", spec, ("label", "value"), (("a", 0.4),))
    linked = Picture("linked", "Linked", "Reads a file.", {**spec, "data": {"url": "file:///etc/passwd"}}, (), ())
    return Collected((Measure("test.value", 1.5, low=1.0, high=2.0, n=7, detail={"level": 0.95}),), pictures=(good, linked))


def _problem(inputs: Inputs) -> Collected:
    raise EvidenceProblem(file="a.csv", expected="x", found="y", way_out="Do z.")


def _raise(inputs: Inputs) -> Collected:
    raise RuntimeError("a secret cell value")


def _segfault(inputs: Inputs) -> Collected:
    ctypes.string_at(0)
    return Collected()


def _abort(inputs: Inputs) -> Collected:
    os.abort()


def _memory(inputs: Inputs) -> Collected:
    held = [bytearray(256 * 1024 * 1024) for _ in range(100)]
    return Collected((Measure("held", float(len(held))),))


def _sleep(inputs: Inputs) -> Collected:
    time.sleep(60)
    return Collected()


def _spin(inputs: Inputs) -> Collected:
    while True:
        pass


def _flood(inputs: Inputs) -> Collected:
    return Collected(notes=tuple("x" * 19_000 for _ in range(900)))


def _nonsense(inputs: Inputs) -> Collected:
    return Collected((Measure("", "many"),))  # type: ignore[arg-type]


def _tried(action: object) -> float:
    try:
        action()  # type: ignore[operator]
    except (OSError, RuntimeError):
        return 0.0
    return 1.0


def _look_around(inputs: Inputs) -> Collected:
    started: list[int] = []
    thread = threading.Thread(target=lambda: started.append(1))
    thread.start()
    thread.join()
    seen = {
        "network": _tried(lambda: socket.create_connection(("127.0.0.1", int(inputs.settings["port"])), 1)),
        "fork": _tried(os.fork),
        "program": _tried(lambda: subprocess.run(["/bin/true"], check=True)),
        "parent_environment": _tried(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
        "parent_signal": _tried(lambda: os.kill(os.getppid(), 0)),
        "write_outside": _tried(lambda: Path(inputs.settings["outside"]).write_text("x")),
        "database_url": float(any("DATABASE" in name or "SECRET" in name for name in os.environ)),
        "write_own": _tried(lambda: (Path(os.environ["TMPDIR"]) / "own").write_text("x")),
        "thread": float(len(started)),
    }
    return Collected(tuple(Measure(name, value) for name, value in seen.items()))


def _load(inputs: Inputs) -> Collected:
    evidence: EvidenceInput = inputs.evidence["candidate_predictions"]
    table = tables.load(evidence, tables.inspect(evidence).names)
    connection = tables.connect({"t": evidence})
    rows = connection.execute("SELECT count(*) FROM t").fetchall()[0][0]
    return Collected((Measure("rows", float(table.rows)), Measure("rows_again", float(rows))))
