"""B1: handing a submission in over REST, against bare inserts and against MLflow's "create model version"."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.figures import Line, Report, Series, in_turns, number, percentile, ratio
from tests.bench.inproc import FLOOR_TABLES, database, json_body, recorded_inserts
from tests.bench.load import Ask, calm, press, processor_seconds
from tests.bench.peers import MLflow, mlflow
from tests.bench.servers import CONNECTIONS, BenchStack
from tests.bench.size import Size
from tests.stack import Running, free_port

METADATA = Path(__file__).resolve().parents[1] / "data" / "metadata"
SIZE = 5_000
UNITS = {"rate": "/s", "web": "ms CPU", "all": "ms CPU", "p50": "ms", "p99": "ms"}


def measure(stack: BenchStack, size: Size) -> Report:
    """Everybody in turns; see BENCH.md for the targets."""
    report = Report("B1", "POST /submissions, 5 kB, embedded stack")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    make = requests(token)
    name = stack.copy("bench_b1")
    with database(name):
        recorded_inserts(make(0))  # warms up
        inserts, statements, _ = recorded_inserts(make(0))
    stack.sql(name, FLOOR_TABLES)
    recorded = stack.folder / "recorded.json"
    recorded.write_text(json.dumps(inserts))
    with ExitStack() as open_servers:
        ours = open_servers.enter_context(stack.web(name))
        cut_off = open_servers.enter_context(stack.web(name, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"))
        floor = open_servers.enter_context(stack.floor(name, BENCH_RECORDED=str(recorded)))
        peer = open_servers.enter_context(mlflow(stack, report.notes))
        contenders: dict[str, Callable[[], Mapping[str, float]]] = {
            "ours": lambda: pressed(stack, ours, make, size),
            "one insert": lambda: pressed(stack, floor, lambda n: _to("/one", make(n)), size),
            "same inserts": lambda: pressed(stack, floor, lambda n: _to("/same", make(n)), size),
            "dead broker": lambda: pressed(stack, cut_off, make, size),
        }
        if peer is not None:
            contenders["MLflow"] = lambda: pressed(stack, peer.running, peer.create_version, size)
        calm([server.pid for server in (ours, cut_off, floor)] + ([peer.running.pid] if peer else []))
        for measured in contenders.values():
            measured()  # a round that does not count: imports, caches, connections
        found = in_turns(contenders, size.rounds, UNITS)
    stack.drop(name)
    report.lines += _lines(found, statements, peer)
    report.notes += [
        f"The body has {len(make(0).body or b''):,} bytes: a real MLmodel, a real run, nine answers. "
        f"{CONNECTIONS} connections; one server process with {CONNECTIONS} threads, as `make demo` starts it; fsync on.",
        f"The inserts by hand are the {len(inserts)} INSERT statements that one such request sent, in one transaction, "
        "into copies of the "
        "tables with the same indexes. They leave out: the token, permissions, idempotency, parsing metadata, facts, "
        "rules, every read, "
        "unique and foreign keys, the hash chain, and an answer with track and reasons.",
        "The dead broker is a port nobody listens on.",
        "“All” processor time is the web process with the processes of PostgreSQL; “web” is the server process alone.",
    ]
    return report


def _lines(found: Mapping[str, Mapping[str, Series]], statements: int, peer: MLflow | None) -> list[Line]:
    ours, one, same, dead = (found[name] for name in ("ours", "one insert", "same inserts", "dead broker"))
    theirs = found.get("MLflow")
    lines = [
        _line("throughput at 8 connections; floor: same inserts by hand", "rate", ours, same, theirs, more_is_better=True),
        _line("throughput at 8 connections; floor: one insert", "rate", ours, one, None, more_is_better=True),
        _line("processor time a request, web and database; floor: same inserts", "all", ours, same, theirs),
        _line("processor time a request, web process alone; floor: same inserts", "web", ours, same, theirs),
        Line("B1 time to the answer, p50 / p99", f"{number(ours['p50'].median)} / {number(ours['p99'].median)} ms"),
        Line("B1 statements a request, transaction control apart", str(statements)),
    ]
    against = ratio(dead["rate"], ours["rate"])
    lines.append(
        Line(
            "B1 throughput with a dead broker; ratio: to the living one",
            str(dead["rate"]),
            ratio=f"{number(against.median)} ×",
            spread=against.spread,
        )
    )
    return lines


def _line(
    what: str,
    quantity: str,
    ours: Mapping[str, Series],
    floor: Mapping[str, Series],
    theirs: Mapping[str, Series] | None,
    *,
    more_is_better: bool = False,
) -> Line:
    """Ratios say how many times the peer's we are, and how many times the floor's cost we have."""
    mine, least = ours[quantity], floor[quantity]
    to_floor = ratio(least, mine) if more_is_better else ratio(mine, least)
    words = f"{number(to_floor.median)} × floor's cost"
    if theirs is not None:
        to_peer = ratio(mine, theirs[quantity]) if more_is_better else ratio(theirs[quantity], mine)
        words = f"{number(to_peer.median)} × better than peer; {words}"
    peer = f"MLflow {theirs[quantity]}" if theirs is not None else ""
    return Line(f"B1 {what}", str(mine), peer=peer, floor=str(least), ratio=words, spread=mine.spread)


def pressed(stack: BenchStack, server: Running, make: Callable[[int], Ask], size: Size) -> dict[str, float]:
    roots = [server.pid]
    database_pid = stack.postgres_pid
    before, database_before = processor_seconds(*roots), processor_seconds(database_pid) if database_pid else 0.0
    answered = press(server.url, make, connections=CONNECTIONS, seconds=size.seconds)
    web = processor_seconds(*roots) - before
    base = processor_seconds(database_pid) - database_before if database_pid else 0.0
    answered.require(server, 200, 201, 304)
    n = len(answered.times)
    return {
        "rate": answered.rate,
        "web": 1000 * web / n,
        "all": 1000 * (web + base) / n,
        "p50": 1000 * percentile(answered.times, 0.5),
        "p99": 1000 * percentile(answered.times, 0.99),
    }


def _to(path: str, ask: Ask) -> Ask:
    return Ask("POST", path, ask.body, ask.headers)


def requests(token: str) -> Callable[[int], Ask]:
    """Submissions of one system, each of a version of its own."""
    names = {"MLmodel": "mlflow-3.17.2.MLmodel.yaml", "run.json": "mlflow-3.17.2.run.json"}
    sources = [{"name": name, "content": (METADATA / file).read_text()} for name, file in names.items()]
    plain: dict[str, Any] = {
        "system": "bench-credit",
        "kind": "ml_model",
        "environment": "production",
        "sources": sources,
        "answers": {
            "decision.domain": "credit",
            "decision.automated": True,
            "decision.affects_customers": True,
            "impact.financial": "high",
            "regulation.regimes": ["eu_ai_act"],
            "data.contains_pii": True,
            "rollout.strategy": "canary",
            "monitoring.plan": "PSI weekly on every feature, alert to the on-call engineer.",
            "business.context": "",
        },
    }
    short = SIZE - len(json_body({**plain, "version": "9.000000.0"}))
    plain["answers"]["business.context"] = ("Pre-screens applications for credit; a person reads each refusal. " * 80)[
        : max(short, 80)
    ]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    versions = count()

    def make(_: int) -> Ask:
        return Ask("POST", "/api/v1/submissions", json_body({**plain, "version": f"9.{next(versions):06}.0"}), headers)

    return make
