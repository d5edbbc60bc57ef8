"""B4: the queue page over a small and a large table, 50 rows, filtered, as HTML, with its counts; and search."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from django.conf import settings
from django.test import Client

from governance.models import Person
from governance.ui.demo_sign_in import sign_in_path
from tests.bench.figures import Line, Report, in_turns, number, percentile, ratio
from tests.bench.inproc import database, statements_of
from tests.bench.load import Ask, Connection, processor_seconds
from tests.bench.servers import BenchStack, signed_in
from tests.bench.size import Size
from tests.stack import Running

SMALL = 1_000
WORDS = ("scoring", "pricing", "fraud", "churn", "ranking", "triage", "credit", "limit", "uplift", "basket")
PAGES = {
    "all, red only": "/queue?scope=all&track=red",
    "your turn": "/queue?scope=mine",
}


def measure(stack: BenchStack, size: Size) -> Report:
    """The same pages from the same program over two databases, in turns."""
    report = Report("B4", f"queue page at {SMALL:,} and {size.big:,} submissions")
    names = {SMALL: "bench_b4_small", size.big: "bench_b4_big"}
    for rows, name in names.items():
        stack.copy(name)
        stack.sql(name, *filled(rows))
    with database(names[SMALL]):
        link = sign_in_path(Person.objects.get(username="amir"))
    with ExitStack() as servers:
        webs = {rows: servers.enter_context(stack.web(name)) for rows, name in names.items()}
        sessions = {rows: signed_in(web, link) for rows, web in webs.items()}
        floor = servers.enter_context(stack.floor(names[size.big]))
        for title, path in PAGES.items():
            _compare(report, title, path, names, webs, sessions, floor, size)
        _search(report, webs[size.big], sessions[size.big], size)
    for name in names.values():
        stack.drop(name)
    report.notes += [
        "One connection, one request after the other. The page has both counts, the filter form and up to 50 rows.",
        "The floor reads one page by key with one statement and writes plain lines; it leaves out signing in, "
        "permissions, both counts, "
        "filters and the template.",
        "Half of the rows are red and a twentieth of all wait for the analyst who asks; 200 systems.",
    ]
    return report


def _compare(
    report: Report,
    title: str,
    path: str,
    names: Mapping[int, str],
    webs: Mapping[int, Running],
    sessions: Mapping[int, dict[str, str]],
    floor: Running,
    size: Size,
) -> None:
    counts = {}
    for rows, name in names.items():
        with database(name):
            counts[rows] = len(statements_of(Ask("GET", path, headers=session_in_process())))
    contenders: dict[str, Callable[[], Mapping[str, float]]] = {
        str(rows): asker(webs[rows], Ask("GET", path, headers=sessions[rows]), size.pages) for rows in names
    }
    contenders["floor"] = asker(floor, Ask("GET", "/rows"), size.pages)
    for ask in contenders.values():
        ask()
    found = in_turns(contenders, size.rounds, {"p50": "ms", "cpu": "ms CPU"})
    big, small, bare = found[str(size.big)], found[str(SMALL)], found["floor"]
    growth, to_floor = ratio(big["p50"], small["p50"]), ratio(big["p50"], bare["p50"])
    report.lines += [
        Line(
            f"B4 queue page “{title}”, p50 at {size.big:,}; ratio: to {SMALL:,} submissions ({small['p50']})",
            str(big["p50"]),
            floor=str(bare["p50"]),
            ratio=f"{number(growth.median)} × small; {number(to_floor.median)} × floor",
            spread=growth.spread,
        ),
        Line(
            f"B4 statements for “{title}” at {SMALL:,} and {size.big:,}",
            f"{counts[SMALL]} and {counts[size.big]}",
        ),
    ]


def session_in_process() -> dict[str, str]:
    """A session of the analyst for a request made in this process."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(Person.objects.get(username="amir"), backend="django.contrib.auth.backends.ModelBackend")
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def asker(server: Running, ask: Ask, times: int) -> Callable[[], Mapping[str, float]]:
    """Gives what asks so many times over one connection and tells p50 and processor time."""

    def measured() -> Mapping[str, float]:
        before = processor_seconds(server.pid)
        connection = Connection(server.url)
        try:
            took = [_one(connection, ask) for _ in range(times)]
        finally:
            connection.close()
        return {"p50": 1000 * percentile(took, 0.5), "cpu": 1000 * (processor_seconds(server.pid) - before) / times}

    return measured


def _one(connection: Connection, ask: Ask) -> float:
    begun = time.perf_counter()
    status, body, _ = connection.ask(ask)
    took = time.perf_counter() - begun
    if status != 200:
        raise AssertionError(f"{ask.path} answered {status}: {body[:300]!r}")
    return took


def _search(report: Report, web: Running, session: Mapping[str, str], size: Size) -> None:
    chance = random.Random(4)
    took: dict[str, list[float]] = {"common": [], "rare": []}
    connection = Connection(web.url)
    for n in range(size.pages * 2):
        common = n % 2 == 0
        words = (
            chance.choice(WORDS) if common else f"{chance.choice(WORDS)}-{chance.randrange(200)} 1.{chance.randrange(size.big)}.0"
        )
        path = "/queue?scope=all&q=" + words.replace(" ", "+")
        took["common" if common else "rare"].append(_one(connection, Ask("GET", path, headers=session)))
    connection.close()
    everything = took["common"] + took["rare"]
    report.lines.append(
        Line(
            f"B4 search at {size.big:,}, p95 (common words, rare words)",
            f"{number(1000 * percentile(everything, 0.95))} ms "
            f"({number(1000 * percentile(took['common'], 0.95))}, {number(1000 * percentile(took['rare'], 0.95))})",
        )
    )


def filled(rows: int) -> list[str]:
    """Statements that make so many submissions, in bulk; what happened to them is spread over states, tracks and turns."""
    words = ", ".join(f"'{word}'" for word in WORDS)
    return [
        "INSERT INTO governance_system (unit_id, slug, name, kind, owner_id, purpose) "
        f"SELECT u.id, (ARRAY[{words}])[1 + n % {len(WORDS)}] || '-' || n, 'System ' || n, 'ml_model', p.id, '' "
        "FROM generate_series(0, 199) n, governance_unit u, governance_person p WHERE u.slug = 'lending' AND p.username = 'dana'",
        "INSERT INTO governance_systemversion (system_id, version, artifact_digest) "
        f"SELECT s.id, '1.' || n || '.0', '' FROM generate_series(1, {rows}) n "
        "JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS at FROM governance_system) s ON s.at = n % 200",
        "INSERT INTO governance_submission (unit_id, system_id, version_id, kind, environment, submitter_id, state, "
        "revision, track, "
        "track_is_final, dossier_digest, turn, turn_since, due_at, origin, idempotency_key, content_digest, "
        "submitted_at, search) "
        "SELECT y.unit_id, y.id, v.id, 'ml_model', 'production', p.id, c.state, 1, c.track, true, '', c.turn, "
        "CASE WHEN c.turn = '' THEN NULL ELSE now() - n * interval '1 second' END, now() + interval '1 day', 'api', "
        "'', '', now(), "
        "to_tsvector('simple', replace(y.slug, '-', ' ') || ' ' || y.slug || ' ' || v.version) "
        "FROM (SELECT id, system_id, version, row_number() OVER (ORDER BY id) AS n FROM governance_systemversion) v "
        "JOIN governance_system y ON y.id = v.system_id JOIN governance_person p ON p.username = 'dana' "
        "CROSS JOIN LATERAL (SELECT CASE WHEN n % 20 = 0 THEN 'in_review' WHEN n % 20 = 1 THEN 'rejected' ELSE "
        "'approved' END AS state, "
        "CASE WHEN n % 2 = 0 THEN 'red' WHEN n % 3 = 0 THEN 'yellow' ELSE 'green' END AS track, "
        "CASE WHEN n % 20 = 0 THEN 'analyst' ELSE '' END AS turn) c ORDER BY v.n",
        "INSERT INTO governance_contributor (submission_id, person_id, why) "
        "SELECT id, submitter_id, 'submitted it' FROM governance_submission",
        "VACUUM ANALYZE",
    ]
