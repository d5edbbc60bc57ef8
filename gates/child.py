"""Runs in the child process: takes its rights away, then measures or draws, one JSON line per answer on a descriptor of its own.

Started by `gates.sandbox` only. Reads one request from standard input:
`{"mode": "measure", "collectors": [{"name", "module", "inputs"}], "rights": {…}, "workdir": …, "out": fd}`,
or with `"mode": "draw"` one specification per further line.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.metadata
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gates.collecting import Collected, Doing, EvidenceProblem, Inputs, listen
from gates.confine import Rights, confine, peak_megabytes
from gates.wire import encode

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "duckdb",
    "sklearn",
    "fairlearn",
    "shap",
    "xgboost",
    "lightgbm",
    "onnxruntime",
    "skops",
)
DISTRIBUTIONS = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}
MAX_MESSAGE = 1_000
TOLD_PER_SECOND, TOLD_AT_ONCE = 4.0, 20.0


def main() -> None:
    """Entry point; ends the process."""
    request = json.loads(sys.stdin.readline())
    with os.fdopen(request["out"], "w", encoding="utf-8") as out:
        # Warnings of measuring libraries are no result; they would only fill the error stream.
        warnings.simplefilter("ignore")

        writing = threading.Lock()

        def answer(**line: Any) -> None:
            with writing:  # a collector may tell from several threads what it is doing
                out.write(json.dumps(line, allow_nan=False) + "\n")
                out.flush()

        answer(event="confined", held=confine(Rights(**request["rights"]), request["workdir"]))
        if request["mode"] == "draw":
            _draw(answer)
        else:
            for collector in request["collectors"]:
                _measure(collector, answer)
    sys.stdout.flush()
    os._exit(0)


class _Telling:
    """Passes on what a collector says it is doing: every new sentence, now and then a count, never more than a few a second."""

    def __init__(self, name: str, answer: Callable[..., None]) -> None:
        self.name, self.answer = name, answer
        self._says, self._at, self._left = "", 0.0, TOLD_AT_ONCE

    def __call__(self, doing: Doing) -> None:
        now = time.monotonic()
        if doing.says == self._says and now - self._at < 1 / TOLD_PER_SECOND:
            return
        self._left = min(self._left + (now - self._at) * TOLD_PER_SECOND, TOLD_AT_ONCE)
        if self._left < 1:
            return
        self._says, self._at, self._left = doing.says, now, self._left - 1
        done, total = (None if count is None else int(count) for count in (doing.done, doing.total))  # numpy's numbers too
        self.answer(event="doing", collector=self.name, says=str(doing.says), done=done, total=total)


def _measure(collector: dict[str, Any], answer: Callable[..., None]) -> None:
    name = collector["name"]
    answer(event="start", collector=name)
    listen(_Telling(name, answer))
    started, cpu = time.monotonic(), time.process_time()
    error = ""
    body: dict[str, Any] = {}
    try:
        collected = importlib.import_module(collector["module"]).collect(Inputs.from_json(collector["inputs"]))
        if not isinstance(collected, Collected):
            raise TypeError(f"collect returned {type(collected).__name__}")
        body = encode(collected)
        json.dumps(body, allow_nan=False)
    except EvidenceProblem as problem:
        body = encode(Collected(not_measured=str(problem)[:MAX_MESSAGE]))
    except MemoryError:
        error = "memory"
    except Exception as problem:
        # The message may quote the file; it goes to the run's technical log, never into a sentence for people.
        error = f"{type(problem).__name__}: {problem}"[:MAX_MESSAGE] + _where(problem)
    listen(None)
    answer(
        event="result",
        collector=name,
        collected=body,
        error=error,
        seconds=round(time.monotonic() - started, 3),
        cpu_seconds=round(time.process_time() - cpu, 3),
        peak_megabytes=peak_megabytes(),
        versions=_versions(),
    )
    _give_back()


def _give_back() -> None:
    """Return freed memory to the system, so that the next collector in this process finds all of its allowance."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # not every C library has it
        ctypes.CDLL(None).malloc_trim(0)


def _where(problem: BaseException) -> str:
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" (at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""


def _versions() -> dict[str, str]:
    """Versions of the measuring libraries that were used, and of Python."""
    found = {"python": sys.version.split()[0]}
    for name in LIBRARIES:
        if name in sys.modules:
            module = sys.modules[name]
            found[name] = str(getattr(module, "__version__", "")) or importlib.metadata.version(DISTRIBUTIONS.get(name, name))
    return found


def _draw(answer: Callable[..., None]) -> None:
    from gates.pictures.render import PictureProblem, draw  # noqa: PLC0415 - the drawing runtime starts only after the rights are gone

    for line in sys.stdin:
        try:
            answer(event="drawn", svgs=draw(json.loads(line)), error="")
        except PictureProblem as problem:
            answer(event="drawn", svgs={}, error=str(problem))
