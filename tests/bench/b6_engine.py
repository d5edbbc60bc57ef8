"""B6: what the engine costs by itself: 15 collectors that do nothing, until all are judged, against a Celery chord of 15."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg
from celery import chord
from django.db.models.functions import Now

from governance.models import PolicyPack
from governance.policy import load_pack
from tests.bench import chord_app
from tests.bench.figures import Line, Report, Series, number, percentile, ratio
from tests.bench.inproc import database, json_body
from tests.bench.load import Ask, Connection, calm, processor_seconds
from tests.bench.servers import BenchStack
from tests.bench.size import Size
from tests.reviews.making import PACK, QUESTIONNAIRE
from tests.stack import Running

COUNT = 15
PLUGIN = "guiderail_bench_plugin"
COLLECTOR = '''"""Measures a number without looking."""

from gates.collecting import Collected
from gates.spec import Measure

NAME, TITLE, VERSION, HEAVY = "nothing_{n:02}", "Nothing ({n})", 1, False
REQUIRES, OPTIONAL, USES_FACTS = (), (), ()
IN_PROCESS = {in_process}  # the worker itself runs it, as it does those of the shipped ones that open no file


def collect(inputs):
    return Collected((Measure("nothing_{n:02}.value", 1.0),))
'''
GATE = '''"""Nothing ({code})

## What it checks
Nothing.
"""

from gates.spec import Mode, at_least
from governance.domain.vocabulary import Kind, Role

CODE, NAME, COLLECTORS, NEEDS = "{code}", "nothing-{n}", ("nothing_{n:02}",), ("nothing_{n:02}.value",)
KINDS, READ_BY, MODE = frozenset({{Kind.ML_MODEL}}), Role.ANALYST, Mode.AUTOMATIC
RISK, LIMITS, EXAMPLES = "None.", {{"least": 1.0}}, ()


def judge(measured, limits):
    return at_least(measured, NEEDS[0], limits["least"], because="nothing")
'''


def measure(stack: BenchStack, size: Size) -> Report:
    """One submission, one chord, one submission, …, on idle workers."""
    report = Report("B6", f"{COUNT} collectors that do nothing, submitted until all are judged")
    for in_process, words in ((True, "run by the worker"), (False, "in a confined child")):
        mine, theirs = _alternating(stack, size, in_process=in_process)
        report.lines += _lines(mine, theirs, words)
    report.notes += [
        f"{size.submissions} submissions and as many chords, alternating, on idle workers: one default worker, one for "
        "gates with two "
        "processes, one for the chord with two processes; the same Redis. Time from sending POST /submissions until "
        "the submission has "
        "left “in checks” (looked up every 2 ms).",
        "Ours includes what a chord does not have: the submission itself with its track and audit events, leases, stored "
        "measurements, 15 judgements, findings and steps. “Run by the worker”: collectors that open no file (`IN_PROCESS`). "
        "“In a confined child”: all fifteen in one child process of the submission, as those that read evidence.",
        "The chord: 15 tasks that return at once and a callback, results in Redis, waited for with `get`.",
    ]
    return report


def _alternating(stack: BenchStack, size: Size, *, in_process: bool) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Wall and processor milliseconds of each submission, and of each chord."""
    name = stack.copy("bench_b6")
    plugged = {"GUIDERAIL_PLUGINS": PLUGIN, "PYTHONPATH": str(_plugin(stack.folder, in_process=in_process))}
    with database(name):
        _pack()
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    url = stack.url(name)
    with ExitStack() as servers:
        web = servers.enter_context(stack.web(name, **plugged))
        workers = [
            kept(servers, stack.start_worker(url, queues="default", concurrency=1, **plugged)),
            kept(servers, stack.start_worker(url, queues="gates,gates.heavy", concurrency=2, **plugged)),
        ]
        chords = kept(servers, _chord_worker(stack))
        base = servers.enter_context(psycopg.connect(url, autocommit=True))
        connection = Connection(web.url)
        servers.callback(connection.close)
        ours_pids, their_pids = [web.pid, *(worker.pid for worker in workers)], [chords.pid]
        calm([*ours_pids, *their_pids])
        mine: dict[str, list[float]] = {"ms": [], "cpu": []}
        theirs: dict[str, list[float]] = {"ms": [], "cpu": []}
        for n in range(size.submissions + 2):
            for record, pids, act in (
                (mine, ours_pids, partial(_submitted, connection, base, token, n)),
                (theirs, their_pids, _chord),
            ):
                before, begun = processor_seconds(*pids), time.perf_counter()
                act()
                took = time.perf_counter() - begun
                time.sleep(0.1)  # what is still tidied up belongs to it
                if n >= 2:  # the first two warm up
                    record["ms"].append(1000 * took)
                    record["cpu"].append(1000 * (processor_seconds(*pids) - before))
    stack.drop(name)
    return mine, theirs


def _lines(mine: Mapping[str, list[float]], theirs: Mapping[str, list[float]], words: str) -> list[Line]:
    ms = Series(tuple(mine["ms"]), "ms"), Series(tuple(theirs["ms"]), "ms")
    over = ratio(*ms)
    # processor time comes in ticks of 10 ms: only the mean over all repetitions says something
    cpu = statistics.fmean(mine["cpu"]), statistics.fmean(theirs["cpu"])
    return [
        Line(
            f"B6 {COUNT} empty collectors {words}, submit → judged, p50; peer: Celery chord of {COUNT}",
            str(ms[0]),
            peer=str(ms[1]),
            ratio=f"{number(over.median)} × the chord's time",
            spread=over.spread,
        ),
        Line(
            f"B6 {words}, p99", f"{number(percentile(mine['ms'], 0.99))} ms", peer=f"{number(percentile(theirs['ms'], 0.99))} ms"
        ),
        Line(
            f"B6 {words}, processor time each, mean (web and workers; for the chord its worker)",
            f"{number(cpu[0])} ms CPU",
            peer=f"{number(cpu[1])} ms CPU",
            ratio=f"{number(cpu[0] / cpu[1])} × the chord's" if cpu[1] else "",
        ),
    ]


def _plugin(folder: Path, *, in_process: bool = True) -> Path:
    package = folder / "plugin" / PLUGIN
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    for n in range(1, COUNT + 1):
        (package / f"nothing_{n:02}.py").write_text(COLLECTOR.format(n=n, in_process=in_process))
        (package / f"gz{n:03}.py").write_text(GATE.format(n=n, code=f"GZ{n:03}"))
    return package.parent


def _pack() -> None:
    """A small pack whose only gates are the empty ones, in force instead of the shipped one."""
    gates = [
        {
            "gate": f"GZ{n:03}",
            "why": "To measure the engine.",
            "tracks": ["green", "yellow", "red"],
            "blocking": True,
            "note": "convention",
        }
        for n in range(1, COUNT + 1)
    ]
    source, questions = json.dumps({**PACK, "version": "2099.1.1", "gates": gates}), json.dumps(QUESTIONNAIRE)
    pack = load_pack(source, questions)
    PolicyPack.objects.create(
        name=pack.name,
        kind=pack.kind,
        version=pack.version,
        digest=pack.digest,
        source=source,
        questionnaire=questions,
        active_from=Now(),
    )


def _submitted(connection: Connection, base: psycopg.Connection, token: str, n: int) -> None:
    body = {
        "system": "bench-engine",
        "version": f"1.{n}.0",
        "answers": {"decision.domain": "credit", "business.context": "To measure.", "rollout.rollback_target": "first version"},
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status, content, _ = connection.ask(Ask("POST", "/api/v1/submissions", json_body(body), headers))
    if status != 201:
        raise AssertionError(f"POST /submissions answered {status}: {content[:500]!r}")
    pk = int(json.loads(content)["submission"].removeprefix("S-"))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        row = base.execute("SELECT state FROM governance_submission WHERE id = %s", [pk]).fetchone()
        if row and row[0] != "in_checks":
            judged = base.execute(
                "SELECT count(*) FROM gates_gateoutcome WHERE submission_id = %s AND verdict = 'pass'", [pk]
            ).fetchone()
            if row[0] != "in_review" or not judged or judged[0] != COUNT:
                raise AssertionError(f"submission {pk} ended {row[0]} with {judged} gates passed")
            return
        time.sleep(0.002)
    runs = base.execute("SELECT collector, status, error FROM gates_gaterun WHERE submission_id = %s", [pk]).fetchall()
    raise AssertionError(f"submission {pk} was not judged within a minute: {runs[:4]}")


def _chord() -> None:
    result = chord([chord_app.nothing.s(n) for n in range(COUNT)], app=chord_app.app)(chord_app.done.s())
    if result.get(timeout=60, interval=0.002) != COUNT:
        raise AssertionError("the chord lost a part")
    result.forget()


def _chord_worker(stack: BenchStack) -> Running:
    words = ["-m", "celery", "-A", "tests.bench.chord_app:app", "worker", "-Q", "bench", "-c", "2", "-l", "INFO"]
    words += ["--without-gossip", "--without-mingle", "-n", "chord@%h"]
    running = stack._child("chord", words, stack.url("postgres"))
    return running.wait(lambda: " ready." in running.said())


def kept(servers: ExitStack, running: Running) -> Running:
    servers.callback(running.stop, seconds=3)
    return running
