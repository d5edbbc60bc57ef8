"""B2: the preview over REST against a hand-written view that decodes and tries thirty rules; and the rules by themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from django.test import Client

from governance.domain.facts import FactSet
from governance.models import Submission, TrackDecision
from governance.policy import evaluate, what_would_change
from governance.policy.evaluating import Pack
from governance.selectors.facts import pending_collectors
from governance.selectors.policy import pack_in_force
from tests.bench.b1_submitting import pressed, requests
from tests.bench.figures import Line, Report, Series, in_turns, number, percentile, ratio
from tests.bench.floor.thirty_rules import RULES, decide
from tests.bench.inproc import database, json_body, recorded_inserts, request, statements_of
from tests.bench.load import Ask, calm
from tests.bench.servers import CONNECTIONS, BenchStack
from tests.bench.size import Size

UNITS = {"rate": "/s", "web": "ms CPU", "all": "ms CPU", "p50": "ms", "p99": "ms"}
TIMES = 200


def measure(stack: BenchStack, size: Size) -> Report:
    """The view in turns with the floor; then rules, counterfactual and hand-written rules in one process in turns."""
    report = Report("B2", "POST /preview, 5 kB, and the rules by themselves")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    make = requests(token)

    def preview(n: int) -> Ask:
        return _to("/api/v1/preview", make(n))

    name = stack.copy("bench_b2")
    with database(name):
        statements = statements_of(preview(0))
        recorded_inserts(make(0))
        _, pack = pack_in_force("ml_model")
        stored = FactSet.from_json(TrackDecision.objects.values_list("facts", flat=True).latest("id"))
        alone = _rules(pack, stored, size)
        panel = _panel(make(1), size)
    with ExitStack() as servers:
        ours, floor = servers.enter_context(stack.web(name)), servers.enter_context(stack.floor(name))
        contenders: dict[str, Callable[[], Mapping[str, float]]] = {
            "ours": lambda: pressed(stack, ours, preview, size),
            "floor": lambda: pressed(stack, floor, lambda n: _to("/preview", make(n)), size),
        }
        calm([ours.pid, floor.pid])
        for measured in contenders.values():
            measured()
        found = in_turns(contenders, size.rounds, UNITS)
    stack.drop(name)
    mine, least = found["ours"], found["floor"]
    share, cost = ratio(mine["rate"], least["rate"]), ratio(mine["all"], least["all"])
    report.lines = [
        Line(
            f"B2 preview, {CONNECTIONS} connections; floor: decode, {len(RULES)} hand-written rules (target: 0.4 of it)",
            str(mine["rate"]),
            floor=str(least["rate"]),
            ratio=f"{number(share.median)} × the floor's throughput",
            spread=share.spread,
        ),
        Line(
            "B2 preview, processor time a request, web and database",
            str(mine["all"]),
            floor=str(least["all"]),
            ratio=f"{number(cost.median)} × floor's cost",
            spread=cost.spread,
        ),
        Line("B2 statements of a preview", str(len(statements))),
        Line("B2 the track beside the form after a changed answer, p50 / p99 (target: under a second)", panel),
        *_rule_lines(pack, alone),
    ]
    report.notes += [
        "The floor decodes the same body and tries its rules on the answers as they were typed; it leaves out the token, roles, "
        "limits of the body, reading two metadata files, facts with where they come from, registers, the champion, and reasons.",
        "The rules alone: the shipped pack on the facts of a stored red case, processor time in this process, in turns with the "
        "hand-written rules on the same answers. “With its counterfactual”: evaluation, and for each lighter track the smallest "
        "sets of changes that reach it.",
    ]
    return report


def _panel(ask: Ask, size: Size) -> str:
    """What the form asks for after each answer, one at a time, in this process: a draft with two files read and nine answers."""
    body = {**json.loads(ask.body or b"{}"), "draft": True}
    request(Ask("POST", ask.path, json_body(body), ask.headers), 201)
    draft = Submission.objects.latest("id")
    client = Client(SERVER_NAME="localhost")
    client.force_login(draft.submitter)
    took = []
    for n in range(max(20, size.pages)):
        begun = time.perf_counter()
        answer = client.post(f"/submissions/{draft.number}/questions/use/track", {"decision.automated": str(n % 2 == 0).lower()})
        took.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            raise AssertionError(f"the panel answered {answer.status_code}")
    return f"{number(percentile(took, 0.5))} / {number(percentile(took, 0.99))} ms"


def _rules(pack: Pack, facts: FactSet, size: Size) -> Mapping[str, Mapping[str, Series]]:
    pending = pending_collectors(pack)
    yellow = _settled(facts)
    answers = {name: facts.value(name) for name in facts.by_name}

    def decision(on: FactSet) -> None:
        what_would_change(pack, on, evaluate(pack, on, pending=pending), pending=pending)

    contenders: dict[str, Callable[[], Mapping[str, float]]] = {
        "evaluate": lambda: _cpu(lambda: evaluate(pack, facts, pending=pending)),
        "decision": lambda: _cpu(lambda: decision(facts)),
        "searched": lambda: _cpu(lambda: decision(yellow)),
        "floor": lambda: _cpu(lambda: decide(answers)),
    }
    for measured in contenders.values():
        measured()
    return in_turns(contenders, size.rounds, {"us": "µs CPU"})


def _settled(facts: FactSet) -> FactSet:
    """The same without what nobody can change, so that a way out has to be searched."""
    fixed = ("decision.domain", "regulation.regimes", "impact.financial", "decision.affects_customers", "decision.automated")
    return FactSet.of(fact for fact in facts if fact.name not in fixed)


def _rule_lines(pack: Pack, alone: Mapping[str, Mapping[str, Series]]) -> list[Line]:
    floor = alone["floor"]["us"]
    titles = {
        "evaluate": f"B2 evaluate the {len(pack.rules)} rules of the shipped pack (target: 100 µs for 30)",
        "decision": "B2 one decision with its counterfactual (target: 1 ms)",
        "searched": "B2 the same where a way out is searched and found or not",
    }
    lines = []
    for name, title in titles.items():
        mine = alone[name]["us"]
        over = ratio(mine, floor)
        lines.append(Line(title, str(mine), floor=str(floor), ratio=f"{number(over.median)} × floor", spread=mine.spread))
    return lines


def _cpu(act: Callable[[], object]) -> Mapping[str, float]:
    begun = time.process_time()
    for _ in range(TIMES):
        act()
    return {"us": 1e6 * (time.process_time() - begun) / TIMES}


def _to(path: str, ask: Ask) -> Ask:
    return Ask("POST", path, ask.body, ask.headers)
