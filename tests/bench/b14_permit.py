"""B14: the permit question, against a bare view in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from governance.domain.vocabulary import Track
from reviews.services.deciding import decide
from tests.bench.b1_submitting import pressed
from tests.bench.figures import Line, Report, in_turns, number, ratio
from tests.bench.inproc import database, statements_of
from tests.bench.load import Ask, calm
from tests.bench.servers import CONNECTIONS, BenchStack
from tests.bench.size import Size
from tests.reviews import making
from tests.stack import Running

UNITS = {"rate": "/s", "web": "ms CPU", "all": "ms CPU", "p50": "ms", "p99": "ms"}


def measure(stack: BenchStack, size: Size) -> Report:
    """A deployer's question about what is allowed and about what nobody knows; p99 against the bare view's."""
    report = Report("B14", "GET /permits: may this version go there?")
    name = stack.copy("bench_b14")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    with database(name):
        people, row = making.everybody(), making.in_review(Track.YELLOW)
        caller = making.call(people["pia"])
        decide(caller=caller, submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
        bearer = {"Authorization": f"Bearer {token}"}
        known = f"/api/v1/permits?system={row.system.slug}&version={row.version.version}&environment={row.environment}"
        asks = {
            "allowed": Ask("GET", known, headers=bearer),
            "unknown": Ask("GET", "/api/v1/permits?system=nobody-knows&version=1.0.0", headers=bearer),
        }
        statements = {what: len(statements_of(ask)) for what, ask in asks.items()}
    with ExitStack() as servers:
        web = servers.enter_context(stack.web(name))
        floor = servers.enter_context(stack.floor(name))
        contenders: dict[str, Callable[[], Mapping[str, float]]] = {
            what: partial(_asked, stack, web, ask, size) for what, ask in asks.items()
        }
        contenders["bare"] = partial(_asked, stack, floor, Ask("GET", "/bare"), size)
        calm([web.pid, floor.pid])
        for measured in contenders.values():
            measured()
        found = in_turns(contenders, size.rounds, UNITS)
    stack.drop(name)
    for what in asks:
        for quantity, title in (("p99", f"p99 at {CONNECTIONS} connections (target: 5)"), ("all", "processor time")):
            mine, bare = found[what][quantity], found["bare"][quantity]
            over = ratio(mine, bare)
            words = f"{number(over.median)} × the bare view's"
            report.lines.append(Line(f"B14 permit, {what}, {title}", str(mine), floor=str(bare), ratio=words, spread=over.spread))
        report.lines.append(Line(f"B14 statements, {what}, token and roles included", str(statements[what])))
    report.notes.append("The bare view answers “ok”: no token, no roles, no database, no middleware.")
    return report


def _asked(stack: BenchStack, server: Running, ask: Ask, size: Size) -> Mapping[str, float]:
    return pressed(stack, server, lambda _: ask, size)
