"""Peers, installed from PyPI into a folder of this run; where that fails their column stays empty, with the reason printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.load import Ask, Connection
from tests.bench.servers import BenchStack, log_tail
from tests.stack import Running, Stopped, answers, free_port

_versions = count()
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class MLflow:
    """A running MLflow server with one registered model."""

    running: Running
    version: str
    known: list[str] = field(default_factory=list)

    def create_version(self, _: int) -> Ask:
        """Registering a version, as large as our submission."""
        body = {
            "name": "bench-credit",
            "source": f"s3://models/credit/{next(_versions)}",
            "description": "Pre-screens applications for credit; a person reads each refusal. " * 60,
            "tags": [{"key": f"tag-{n}", "value": "x" * 40} for n in range(6)],
        }
        return Ask("POST", "/api/2.0/mlflow/model-versions/create", json.dumps(body).encode(), JSON)

    def get_version(self, _: int) -> Ask:
        """Reading one version again; the first call registers it."""
        if not self.known:
            connection = Connection(self.running.url)
            status, body, _headers = connection.ask(self.create_version(0))
            connection.close()
            if status != 200:
                raise RuntimeError(f"MLflow answered {status}: {body[:200]!r}")
            self.known.append(str(json.loads(body)["model_version"]["version"]))
        return Ask("GET", f"/api/2.0/mlflow/model-versions/get?name=bench-credit&version={self.known[0]}")


@contextmanager
def mlflow(stack: BenchStack, notes: list[str]) -> Iterator[MLflow | None]:
    """MLflow on the same PostgreSQL server, started as its manual says; None, with a note, when it cannot be had.

    `BENCH_PEERS=0` leaves it out; `BENCH_MLFLOW` names a Python that has it already.
    """
    try:
        peer = _start(stack)
    except (OSError, RuntimeError, Stopped, subprocess.SubprocessError) as problem:
        notes.append(
            f"Peer MLflow was not measured: {str(problem).strip().splitlines()[-1] if str(problem).strip() else problem!r}"
        )
        print(notes[-1])
        yield None
        return
    notes.append(
        f"Peer: MLflow {peer.version}, `mlflow server` with its default workers on the same PostgreSQL server, “create "
        "model version” with "
        "a body of the same size. It checks no token, knows no rules, and keeps no audit trail."
    )
    try:
        yield peer
    finally:
        peer.running.stop(seconds=5)
        stack.drop("bench_mlflow")


def _start(stack: BenchStack) -> MLflow:
    if os.environ.get("BENCH_PEERS", "1") == "0":
        raise RuntimeError("BENCH_PEERS=0")
    python = Path(os.environ["BENCH_MLFLOW"]) if os.environ.get("BENCH_MLFLOW") else _install(stack.folder / "peer")
    version = _output([str(python), "-c", "import importlib.metadata as m; print(m.version('mlflow'))"])
    stack.sql("postgres", 'DROP DATABASE IF EXISTS "bench_mlflow" WITH (FORCE)', 'CREATE DATABASE "bench_mlflow"')
    at = urlsplit(stack.url("bench_mlflow"))
    port, log = free_port(), stack.folder / "mlflow.log"
    words = [str(python), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", at._replace(scheme="postgresql+psycopg").geturl(), "--default-artifact-root", "s3://nowhere"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "GUIDERAIL", "PYTHON"))}
    with log.open("ab") as out:
        process = subprocess.Popen(words, cwd=stack.folder, env=clean, stdout=out, stderr=out, start_new_session=True)
    running = Running(process, log, f"http://127.0.0.1:{port}")
    stack.started.append(running)
    try:
        running.wait(lambda: answers(f"{running.url}/health"), seconds=120)
    except Stopped as problem:
        raise RuntimeError(f"its server did not start: {log_tail(log, 1)}") from problem
    connection = Connection(running.url)
    status, body, _ = connection.ask(
        Ask("POST", "/api/2.0/mlflow/registered-models/create", json.dumps({"name": "bench-credit"}).encode(), JSON)
    )
    connection.close()
    if status != 200:
        running.stop(seconds=5)
        raise RuntimeError(f"it answered {status}: {body[:200]!r}")
    return MLflow(running, version)


def _install(folder: Path) -> Path:
    print("Installing MLflow into a folder of this run …", flush=True)
    uv = [sys.executable, "-m", "uv"]
    _output([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    python = folder / "bin" / "python"
    _output([*uv, "pip", "install", "--quiet", "--python", str(python), "mlflow", "psycopg[binary]"])
    return python


def evidently_python(folder: Path, notes: list[str]) -> Path | None:
    """A Python that has Evidently, which needs an older pandas than ours; None, with a note, when it cannot be had.

    `BENCH_PEERS=0` leaves it out; `BENCH_EVIDENTLY` names a Python that has it already; else it is installed below `folder` once.
    """
    try:
        if os.environ.get("BENCH_PEERS", "1") == "0":
            raise RuntimeError("BENCH_PEERS=0")
        said = os.environ.get("BENCH_EVIDENTLY")
        python = Path(said) if said else folder / "evidently" / "bin" / "python"
        if not python.exists():
            print("Installing Evidently into a folder of its own …", flush=True)
            uv = [sys.executable, "-m", "uv"]
            _output([*uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])])
            _output([*uv, "pip", "install", "--quiet", "--python", str(python), "evidently", "pandas<3", "pyarrow"])
        version = _output(
            [str(python), "-c", "import importlib.metadata as m; print(m.version('evidently'), m.version('pandas'))"]
        )
    except (OSError, RuntimeError, subprocess.SubprocessError) as problem:
        notes.append(
            f"Peer Evidently was not measured: {str(problem).strip().splitlines()[-1] if str(problem).strip() else problem!r}"
        )
        return None
    evidently, pandas = version.split()
    notes.append(
        f"Peer: Evidently {evidently} with pandas {pandas}, `DataDriftPreset` as it comes (Wasserstein and Jensen-Shannon)."
    )
    return python


def _output(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip() or f"{words[0]} failed")
    return done.stdout.strip()
