"""B5: the review page of a large case: every gate of the catalogue, 200 measurements, charts, 60 events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from gates import registry
from gates.models import Chart, GateRun, Measurement
from governance.domain.vocabulary import RunStatus, Verdict
from governance.models import Person, Submission
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from governance.ui.demo_sign_in import sign_in_path
from tests.bench.b4_queue import asker, session_in_process
from tests.bench.figures import Line, Report, in_turns, number, ratio
from tests.bench.inproc import database, statements_of
from tests.bench.load import Ask
from tests.bench.servers import BenchStack, signed_in
from tests.bench.size import Size
from tests.reviews import making

MEASUREMENTS, EVENTS, CHARTS = 200, 60, 12


def measure(stack: BenchStack, size: Size) -> Report:
    """The page and the API's decision view of the same case, against a bare read of its rows."""
    report = Report("B5", "review page of a large case")
    name = stack.copy("bench_b5")
    with database(name):
        row = large_case()
        link = sign_in_path(Person.objects.get(username="amir"))
        gates = row.outcomes.count()
        statements = statements_of(Ask("GET", f"/submissions/{row.number}", headers=session_in_process()))
    with ExitStack() as servers:
        web = servers.enter_context(stack.web(name))
        session = signed_in(web, link)
        floor = servers.enter_context(stack.floor(name))
        contenders: dict[str, Callable[[], Mapping[str, float]]] = {
            "page": asker(web, Ask("GET", f"/submissions/{row.number}", headers=session), size.pages),
            "api": asker(web, Ask("GET", f"/api/v1/submissions/{row.number}", headers=session), size.pages),
            "floor": asker(floor, Ask("GET", f"/measurements/{row.pk}"), size.pages),
        }
        for measured in contenders.values():
            measured()
        found = in_turns(contenders, size.rounds, {"p50": "ms", "cpu": "ms CPU"})
    stack.drop(name)
    bare = found["floor"]["p50"]
    for title, mine in (("review page, HTML", found["page"]), ("decision view, JSON", found["api"])):
        over = ratio(mine["p50"], bare)
        report.lines.append(
            Line(
                f"B5 {title}: {gates} gates, {MEASUREMENTS} measurements, {CHARTS} charts, {EVENTS} events; p50 ({mine['cpu']})",
                str(mine["p50"]),
                floor=str(bare),
                ratio=f"{number(over.median)} × floor",
                spread=mine["p50"].spread,
            )
        )
    report.lines.append(Line("B5 statements for the review page, session and person included (target: 12)", str(len(statements))))
    report.notes += [
        "One connection, one request after the other; pictures are fetched by the browser apart from the page.",
        "The floor reads the case's measurements and events with one statement each and writes plain lines; it leaves "
        "out signing in, "
        "permissions, facts, rules, differences and templates.",
        "The target of 12 statements is the decision view's; the page adds the session, the person and their roles.",
    ]
    return report


def large_case() -> Submission:
    """A red case under review with an outcome of every gate, measurements, pictures and a long history."""
    outcomes = tuple(
        making.Gate(code, Verdict.WARN if n % 5 == 0 else Verdict.PASS, says="It was measured on the evaluation rows.")
        for n, code in enumerate(registry.gates())
    )
    row = making.in_review(gates=outcomes)
    names = sorted(registry.collectors())
    runs = GateRun.objects.bulk_create(
        GateRun(submission=row, revision=1, collector=name, input_digest=f"sha256:{name}", status=RunStatus.DONE)
        for name in names
    )
    Measurement.objects.bulk_create(
        Measurement(
            run=runs[n % len(runs)],
            submission=row,
            metric=f"metric.{n // 10}",
            group=f"group={n}",
            value=0.8,
            low=0.7,
            high=0.9,
            n=900,
        )
        for n in range(MEASUREMENTS)
    )
    picture = "<svg xmlns='http://www.w3.org/2000/svg'>" + "<path d='M0 0L10 10'/>" * 200 + "</svg>"
    Chart.objects.bulk_create(
        Chart(
            run=runs[n % len(runs)],
            submission=row,
            key=f"chart-{n}",
            title=f"Picture {n}",
            description="Rates by group.",
            svg_light=picture,
            svg_dark=picture,
            columns=["group", "rate"],
            rows=[[f"group {g}", 0.5] for g in range(10)],
        )
        for n in range(CHARTS)
    )
    with unit_of_work(SYSTEM) as work:
        for _ in range(EVENTS):
            work.note("submission.commented", row, {"comment": uuid.uuid4().hex})
    return row
