"""A real MLflow server: its signed webhook, its answers, and what it keeps of what is written back.

    .venv/bin/python -m pytest tests/reviews/test_mlflow_real.py -m nightly

`GUIDERAIL_MLFLOW_PYTHON` names a Python that has MLflow already; else it is installed from PyPI into a folder of this run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from governance.domain.vocabulary import Role, Track
from governance.models import Submission
from reviews.models import RegistryVersion
from reviews.services.mlflow import MLflow
from reviews.services.registry_versions import open_due, poll
from tests.reviews import making as cases
from tests.reviews.test_mlflow import SECRET, approve, deliver, linked, measured, settle
from tests.stack import answers, free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.nightly]

TRAIN = """
import sys, mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
if sys.argv[2] != "-":
    client.create_webhook(name="guiderail", url=sys.argv[2], events=["model_version.created"], secret=sys.argv[3])
x, y = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0], "age": [20.0, 30.0, 40.0, 50.0]}), np.array([0, 0, 1, 1])
with mlflow.start_run():
    model = LogisticRegression().fit(x, y)
    data = mlflow.data.from_pandas(x.assign(y=y), source="s3://bucket/loans.csv", name="loans", targets="y")
    mlflow.log_input(data, "training")
    mlflow.log_metric("auc", 0.81)
    mlflow.sklearn.log_model(
        model, name="model", signature=mlflow.models.infer_signature(x, model.predict(x)),
        registered_model_name="credit-default", serialization_format="skops",
    )
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    if given := os.environ.get("GUIDERAIL_MLFLOW_PYTHON"):
        return given
    folder = tmp_path_factory.mktemp("mlflow") / "venv"
    uv = [sys.executable, "-m", "uv"]
    for words in ([*uv, "venv", "-q", str(folder)], [*uv, "pip", "install", "-q", "--python", str(folder), "mlflow"]):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            pytest.skip(f"MLflow cannot be installed here: {done.stderr.strip()[-200:]}")
    return str(folder / "bin" / "python")


@pytest.fixture
def server(python: str, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db", "--artifacts-destination", str(tmp_path / "files")]
    allow = {
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "GUIDERAIL", "PYTHON"))}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=tmp_path, env={**clean, **allow}, stdout=log, stderr=log, start_new_session=True)
    eventually(lambda: answers(f"{url}/health"), 120)
    settings.MLFLOW_SERVERS = {"main": url}
    monkeypatch.setenv("GUIDERAIL_MLFLOW_MAIN_WEBHOOK_SECRET", SECRET)
    yield url
    os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with suppress(ProcessLookupError):  # its workers do not always end with it
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def eventually(said: Callable[[], Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.2)


def train(python: str, folder: Path, server: str, webhook: str = "-") -> None:
    (folder / "train.py").write_text(TRAIN)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "GUIDERAIL", "PYTHON"))}
    words = [python, "train.py", server, webhook, SECRET]
    done = subprocess.run(words, cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]


@pytest.mark.timeout(900)
def test_a_real_server_from_its_webhook_to_the_alias(
    python: str, server: str, tmp_path: Path, live_server: Any, broker: object
) -> None:
    link, people, there = linked(), cases.everybody(), MLflow("main", server)
    train(python, tmp_path, server, f"{live_server.url}/api/v1/mlflow/main/webhook")
    eventually(lambda: RegistryVersion.objects.filter(link=link, version="1").exists(), 30)
    assert open_due() == 1
    row = Submission.objects.get()
    assert {source.reader for source in row.sources.all()} == {"mlflow_model_version", "mlflow_run", "mlflow_mlmodel"}
    facts = {fact["name"]: fact["value"] for source in row.sources.all() for fact in source.facts}
    assert facts["model.features"] == ["income", "age"] and facts["model.serialization"] == "skops"
    assert facts["performance.metrics"] == {"auc": 0.81}
    deliver()
    tags = {tag["key"]: tag["value"] for tag in there.version("credit-default", "1")["tags"]}
    assert tags["governance.status"] == "draft" and tags["governance.review_url"].endswith(row.number)

    # a second version is found by asking too; a case about it is approved, then its build fails on fairness elsewhere
    train(python, tmp_path, server)
    eventually(lambda: RegistryVersion.objects.filter(link=link, version="2").exists(), 30)
    RegistryVersion.objects.filter(link=link, version="2").delete()
    assert poll() == 1
    RegistryVersion.objects.filter(version="2").delete()
    case = cases.in_review(Track.YELLOW, version="2", submitter=cases.person("dana", Role.SUBMITTER))
    source = there.version("credit-default", "2")["source"]
    RegistryVersion.objects.create(link=link, version="2", source=source, submission=case, state="opened")
    deliver()
    assert there.alias("credit-default", "champion") == ""
    approve(case, people["pia"])
    deliver()
    assert there.alias("credit-default", "champion") == "2"

    other = measured(cases.in_checks(Track.RED, version="3"))
    RegistryVersion.objects.create(link=link, version="3", source="models:/m-x", submission=other, state="opened")
    settle(submission_id=other.pk)
    deliver()
    tags = {tag["key"]: tag["value"] for tag in there.version("credit-default", "2")["tags"]}
    assert tags["biased"] == "true", "the same digest is the same build"
    assert there.alias("credit-default", "champion") == "", "and loses its alias"
