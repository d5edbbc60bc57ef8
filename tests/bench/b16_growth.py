"""B16: handing in, the queue, the review page and audited writes in a database that has grown, against an almost empty one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from governance.models import Person
from governance.ui.demo_sign_in import sign_in_path
from tests.bench.b1_submitting import pressed, requests
from tests.bench.b4_queue import asker, filled
from tests.bench.b5_review import large_case
from tests.bench.b12_audit import PLAIN, written
from tests.bench.figures import Line, Report, in_turns, number, ratio
from tests.bench.inproc import database
from tests.bench.load import Ask, calm
from tests.bench.servers import BenchStack, signed_in
from tests.bench.size import Size

FEW = 100
MEASUREMENTS, EVENTS, WRITERS = 20, 5, 4
"""Measurements and events a submission; writers of audited transactions."""
MOST = 1.3
_UNITS = {"p50": "ms", "cpu": "ms CPU", "rate": "/s", "web": "ms CPU", "all": "ms CPU", "p99": "ms"}


def measure(stack: BenchStack, size: Size) -> Report:
    """The same program over two databases in turns."""
    report = Report(
        "B16",
        f"growth: {size.big:,} submissions, {size.big * MEASUREMENTS:,} measurements, {size.big * EVENTS:,} events stored",
    )
    names = {"few": stack.copy("bench_b16_few"), "many": stack.copy("bench_b16_many")}
    for which, rows in (("few", FEW), ("many", size.big)):
        stack.sql(names[which], PLAIN, *filled(rows)[:-1], *_around(), "VACUUM ANALYZE")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    make = requests(token)
    with ExitStack() as servers:
        webs = {which: servers.enter_context(stack.web(name)) for which, name in names.items()}
        calm([web.pid for web in webs.values()])
        handing_in = {which: partial(pressed, stack, web, make, size) for which, web in webs.items()}
        _compare(report, "B1 handing in, processor time, web and database", "all", handing_in, size)
        pages: dict[str, dict[str, Callable[[], Mapping[str, float]]]] = {"B4 queue page": {}, "B5 review page": {}}
        for which, name in names.items():
            with database(name):  # not before: the large case comes with a small pack of its own
                case = large_case().number
                session = signed_in(webs[which], sign_in_path(Person.objects.get(username="amir")))
            for title, path in (("B4 queue page", "/queue?scope=all&track=red"), ("B5 review page", f"/submissions/{case}")):
                pages[title][which] = asker(webs[which], Ask("GET", path, headers=session), size.pages)
        for title, contenders in pages.items():
            _compare(report, f"{title}, p50", "p50", contenders, size)
        audited = {which: partial(_audited, stack.url(name), size.seconds) for which, name in names.items()}
        _compare(report, f"B12 time of an audited write at {WRITERS} writers", "each", audited, size)
    for name in names.values():
        stack.drop(name)
    report.notes += [
        f"The other database holds {FEW} submissions, with as many measurements and events each. Both were analysed.",
        "The stored events are rows as the chain has them, but their hashes were not computed: nobody verifies them here.",
    ]
    return report


def _compare(
    report: Report, title: str, quantity: str, contenders: Mapping[str, Callable[[], Mapping[str, float]]], size: Size
) -> None:
    for measured in contenders.values():
        measured()
    found = in_turns(contenders, size.rounds, {**_UNITS, "each": "ms"})
    few, many = found["few"][quantity], found["many"][quantity]
    growth = ratio(many, few)
    report.lines.append(
        Line(
            f"B16 {title}; floor: the almost empty database",
            str(many),
            floor=str(few),
            ratio=f"{number(growth.median)} × (target: {MOST})",
            spread=growth.spread,
        )
    )


def _audited(url: str, seconds: float) -> Mapping[str, float]:
    return {"each": 1000 / written(url, WRITERS, seconds, audited=True)["rate"]}


def _around() -> list[str]:
    """Statements that put runs, measurements and events around every submission there is."""
    return [
        "INSERT INTO gates_gaterun (submission_id, revision, collector, input_digest, status, heavy, priority, inputs, attempt, "
        "max_attempts, worker, dispatches, not_measured, not_applicable, error, notes, facts, versions, doing, "
        "results_digest, current) "
        "SELECT id, 1, 'performance', 'sha256:' || id, 'done', false, 9, '{}', 1, 3, '', 0, '', '', '', '[]', '[]', '{}', "
        "'', '', true FROM governance_submission",
        'INSERT INTO gates_measurement (run_id, submission_id, metric, "group", value, low, high, n, text, reason, detail) '
        f"SELECT r.id, r.submission_id, 'metric.' || n, 'group=' || n, 0.8, 0.7, 0.9, 900, '', '', '{{}}' "
        f"FROM gates_gaterun r CROSS JOIN generate_series(1, {MEASUREMENTS}) n",
        "WITH started AS MATERIALIZED (SELECT set_config('guiderail.audit', 'append', true)), "
        "head AS (SELECT h.seq FROM governance_audithead h, started WHERE h.id = 1) "
        "INSERT INTO governance_auditevent (seq, id, at, actor, action, object, unit, origin, request_id, payload, leaf, chain) "
        "SELECT head.seq + row_number() OVER (), gen_random_uuid(), now(), 'person:1', 'bench.wrote', 'submission:' || s.id, "
        "s.unit_id, 'api', 'bench', repeat('x', 300), '\\x00', '\\x00' "
        f"FROM head, governance_submission s CROSS JOIN generate_series(1, {EVENTS}) n",
        "WITH started AS MATERIALIZED (SELECT set_config('guiderail.audit', 'append', true)) "
        "UPDATE governance_audithead h SET seq = (SELECT max(seq) FROM governance_auditevent) FROM started WHERE h.id = 1",
    ]
