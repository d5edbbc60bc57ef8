"""B3: asking for the verdict, unchanged and changed, with the token checked, against MLflow's "get model version"."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from tests.bench.b1_submitting import pressed, requests
from tests.bench.figures import Line, Report, in_turns, number, ratio
from tests.bench.inproc import database, statements_of
from tests.bench.load import Ask, Connection, calm
from tests.bench.peers import mlflow
from tests.bench.servers import CONNECTIONS, BenchStack
from tests.bench.size import Size
from tests.stack import Running

UNITS = {"rate": "/s", "web": "ms CPU", "all": "ms CPU", "p50": "ms", "p99": "ms"}


def measure(stack: BenchStack, size: Size) -> Report:
    """One submission asked for again and again, with its tag and with another one."""
    report = Report("B3", "GET /submissions/S-…/verdict, unchanged and changed")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    bearer = {"Authorization": f"Bearer {token}"}
    name = stack.copy("bench_b3")
    with ExitStack() as servers:
        web = servers.enter_context(stack.web(name))
        floor = servers.enter_context(stack.floor(name))
        path, tag = _submitted(web, requests(token)(0), bearer)
        peer = servers.enter_context(mlflow(stack, report.notes))
        same = Ask("GET", path, headers={**bearer, "If-None-Match": tag})
        other = Ask("GET", path, headers={**bearer, "If-None-Match": '"another"'})
        with database(name):
            statements = len(statements_of(other))
        contenders: dict[str, Callable[[], Mapping[str, float]]] = {
            "unchanged": lambda: pressed(stack, web, lambda _: same, size),
            "changed": lambda: pressed(stack, web, lambda _: other, size),
            "bare": lambda: pressed(stack, floor, lambda _: Ask("GET", "/bare"), size),
        }
        if peer is not None:
            contenders["MLflow"] = lambda: pressed(stack, peer.running, peer.get_version, size)
        calm([server.pid for server in (web, floor)] + ([peer.running.pid] if peer else []))
        for measured in contenders.values():
            measured()
        found = in_turns(contenders, size.rounds, UNITS)
    stack.drop(name)
    for what, target in (("unchanged", 9), ("changed", 5)):
        for quantity, title in (
            ("rate", f"throughput at {CONNECTIONS} connections"),
            ("all", "processor time, web and database"),
        ):
            mine, bare = found[what][quantity], found["bare"][quantity]
            to_floor = ratio(bare, mine) if quantity == "rate" else ratio(mine, bare)
            words, theirs = f"{number(to_floor.median)} × a bare view's cost", ""
            if "MLflow" in found:
                peers = found["MLflow"][quantity]
                better = ratio(mine, peers) if quantity == "rate" else ratio(peers, mine)
                words, theirs = f"{number(better.median)} × better than peer (target: {target}); {words}", f"MLflow {peers}"
            line = Line(f"B3 verdict {what}, {title}", str(mine), peer=theirs, floor=str(bare), ratio=words, spread=mine.spread)
            report.lines.append(line)
    report.lines.append(Line("B3 statements for a changed verdict, token and roles included", str(statements)))
    report.notes.append(
        "Unchanged: 304 for the tag the client has. The document is built to know it, as time alone can change it."
    )
    return report


def _submitted(web: Running, ask: Ask, bearer: Mapping[str, str]) -> tuple[str, str]:
    """Hand one in; gives the path of its verdict and the verdict's tag."""
    connection = Connection(web.url)
    try:
        status, body, _ = connection.ask(ask)
        if status != 201:
            raise AssertionError(f"POST /submissions answered {status}: {body[:500]!r}")
        path = f"/api/v1/submissions/{json.loads(body)['submission']}/verdict"
        status, body, headers = connection.ask(Ask("GET", path, headers=bearer))
        if status != 200:
            raise AssertionError(f"{path} answered {status}: {body[:500]!r}")
        return path, headers["ETag"]
    finally:
        connection.close()
