"""B7: a whole model case, from sending it until every gate of the shipped pack is judged, with real collectors and SHAP."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import xgboost

from tests.bench.b6_engine import kept
from tests.bench.figures import Line, Report, Series
from tests.bench.inproc import json_body
from tests.bench.load import Ask, Connection, calm
from tests.bench.servers import BenchStack
from tests.bench.size import Size

ROWS, FEATURES = 10_000, 20
MAPPED = {"id": "case_id", "label": "label", "prediction": "decision", "score": "score", "sensitive": ["sex"]}
ANSWERS = {
    "decision.domain": "credit",
    "business.context": "To measure.",
    "rollout.rollback_target": "first version",
    "model.decision_threshold": 0.5,
}


def measure(stack: BenchStack, size: Size) -> Report:
    """One case after the other on idle workers; the model and its data are the same, the version is not."""
    report = Report("B7", f"a whole case, {ROWS:,} rows × {FEATURES} features, sent until judged")
    name = stack.copy("bench_b7")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    url, repeats = stack.url(name), max(3, size.rounds)
    with ExitStack() as servers:
        web = servers.enter_context(stack.web(name))
        workers = [
            kept(servers, stack.start_worker(url, queues="default", concurrency=1)),
            kept(servers, stack.start_worker(url, queues="gates,gates.heavy", concurrency=2)),
        ]
        base = servers.enter_context(psycopg.connect(url, autocommit=True))
        connection = Connection(web.url)
        servers.callback(connection.close)
        evidence = [_sent(connection, token, *file) for file in _files()]
        calm([web.pid, *(worker.pid for worker in workers)])
        took = [_judged(connection, base, token, evidence, n) for n in range(repeats + 1)][1:]  # the first one warms up
        slowest = base.execute(
            "SELECT collector, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM gates_gaterun "
            "WHERE status = 'done' AND attempt > 0 GROUP BY 1 ORDER BY 2 DESC LIMIT 5"
        ).fetchall()
        gates = base.execute("SELECT count(*), count(DISTINCT submission_id) FROM gates_gateoutcome").fetchone()
    stack.drop(name)
    seconds = Series(tuple(took), "s")
    report.lines.append(
        Line(
            "B7 whole case: POST /submissions until every gate is judged, p50",
            str(seconds),
            ratio="target: 12 s on an idle machine",
            spread=seconds.spread,
        )
    )
    each = round(gates[0] / gates[1]) if gates and gates[1] else 0
    report.notes += [
        f"{repeats} cases, one after the other; {each} gates judged in each. Two versions of an XGBoost model explained on 1,000 "
        "rows each, uploads not counted.",
        "Slowest collectors, median seconds: " + ", ".join(f"{collector} {median:.1f}" for collector, median in slowest) + ".",
    ]
    return report


def _files() -> Iterator[tuple[str, str, bytes, Mapping[str, Any]]]:
    """Role, name, content and columns of what a team hands in."""
    rng = np.random.default_rng(7)
    names = [f"x{at:02}" for at in range(FEATURES)]
    frame = pd.DataFrame(rng.normal(size=(2 * ROWS, FEATURES)), columns=names)
    odds = frame.to_numpy() @ np.linspace(1, -0.6, FEATURES) / 2
    label = (rng.random(2 * ROWS) < 1 / (1 + np.exp(-odds))).astype(int)
    frame.insert(0, "case_id", np.arange(2 * ROWS))
    sex = rng.choice(["female", "male"], 2 * ROWS)
    training, evaluation = slice(0, ROWS), slice(ROWS, None)
    for role, of_predictions, name, seed in (
        ("candidate_model", "candidate_predictions", "model.ubj", 1),
        ("baseline_model", "baseline_predictions", "champion.ubj", 2),
    ):
        data = xgboost.DMatrix(frame[names][training], label=label[training])
        options = {"objective": "binary:logistic", "max_depth": 4, "subsample": 0.8, "seed": seed, "nthread": 1}
        model = xgboost.train(options, data, 80)
        yield role, name, bytes(model.save_raw("ubj")), {"features": names}
        score = model.predict(xgboost.DMatrix(frame[names][evaluation])).astype(float)
        scored = pd.DataFrame({"case_id": frame["case_id"][evaluation], "label": label[evaluation], "score": score})
        scored["decision"], scored["sex"] = (score >= 0.5).astype(int), sex[evaluation]
        yield of_predictions, f"{of_predictions}.parquet", _parquet(scored), MAPPED
    for role, part in (("reference_sample", training), ("current_sample", evaluation), ("explanation_sample", evaluation)):
        yield role, f"{role}.parquet", _parquet(frame[part]), {"id": "case_id"}


def _parquet(frame: pd.DataFrame) -> bytes:
    held = io.BytesIO()
    frame.to_parquet(held, index=False)
    return held.getvalue()


def _sent(connection: Connection, token: str, role: str, name: str, content: bytes, columns: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
    status, body, _ = connection.ask(Ask("POST", f"/api/v1/evidence?name={name}", content, headers))
    if status not in (200, 201):
        raise AssertionError(f"POST /evidence answered {status}: {body[:300]!r}")
    return {"role": role, "sha256": json.loads(body)["sha256"], "columns": dict(columns)}


def _judged(connection: Connection, base: psycopg.Connection, token: str, evidence: list[dict[str, Any]], n: int) -> float:
    body = {"system": "bench-whole", "version": f"1.{n}.0", "answers": ANSWERS, "evidence": evidence}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    begun = time.perf_counter()
    status, content, _ = connection.ask(Ask("POST", "/api/v1/submissions", json_body(body), headers))
    if status != 201:
        raise AssertionError(f"POST /submissions answered {status}: {content[:500]!r}")
    pk = int(json.loads(content)["submission"].removeprefix("S-"))
    until = time.monotonic() + 300
    while time.monotonic() < until:
        row = base.execute("SELECT state FROM governance_submission WHERE id = %s", [pk]).fetchone()
        if row and row[0] != "in_checks":
            took = time.perf_counter() - begun
            broken = base.execute(
                "SELECT collector, error FROM gates_gaterun WHERE submission_id = %s AND status = 'error'", [pk]
            ).fetchall()
            if broken:
                raise AssertionError(f"collectors stopped: {broken}")
            return took
        time.sleep(0.02)
    runs = base.execute(
        "SELECT collector, status, attempt, seconds, error, unknown_since FROM gates_gaterun "
        "WHERE submission_id = %s ORDER BY status",
        [pk],
    ).fetchall()
    raise AssertionError(f"submission {pk} was not judged within five minutes: {runs}")
