"""B12: transactions that append to the audit chain against the same without, by number of writers; and verifying a long chain."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

import psycopg

from governance.domain.canonical import canonical_json
from governance.domain.merkle import GENESIS, chain_hash, leaf_hash
from governance.models import AuditEvent
from governance.selectors.audit import Outcome, verify
from tests.bench.figures import Line, Report, in_turns, number, ratio
from tests.bench.inproc import database
from tests.bench.servers import BenchStack
from tests.bench.size import Size

WRITERS = {1: 0.8, 4: 0.4, 16: 0.25}
"""How many write at a time, and the least share of the plain rate that is aimed at."""
AT_ONCE = 500
PLAIN = "CREATE TABLE bench_plain (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), body text)"
_numbers = count()


def measure(stack: BenchStack, size: Size) -> Report:
    """One row and one event a transaction, as the smallest change of the product is."""
    report = Report("B12", "audited writes, and verifying the chain")
    name = stack.copy("bench_b12")
    stack.sql(name, PLAIN)
    contenders: dict[str, Callable[[], Mapping[str, float]]] = {}
    for writers in WRITERS:
        contenders[f"plain {writers}"] = partial(written, stack.url(name), writers, size.seconds, audited=False)
        contenders[f"audited {writers}"] = partial(written, stack.url(name), writers, size.seconds, audited=True)
    found = in_turns(contenders, size.rounds, {"rate": "/s"})
    for writers, target in WRITERS.items():
        audited, plain = found[f"audited {writers}"]["rate"], found[f"plain {writers}"]["rate"]
        share = ratio(audited, plain)
        report.lines.append(
            Line(
                f"B12 transactions with an audit event, {writers} writer{'s' if writers > 1 else ''}; floor: without it",
                str(audited),
                floor=str(plain),
                ratio=f"{number(share.median)} of it (target: {target})",
                spread=share.spread,
            )
        )
    _verifying(report, stack, name, size)
    stack.drop(name)
    report.notes += [
        "A transaction inserts one row of 200 characters and commits, with fsync. The audited one also locks the head of the "
        "chain, hashes, appends and moves the head, as its last statement.",
        "Verifying recomputes leaves, chain, numbering, columns and the Merkle tree; the floor hashes the same payloads, read "
        "before, into leaves and chain.",
    ]
    return report


def written(url: str, writers: int, seconds: float, *, audited: bool) -> Mapping[str, float]:
    done, problems = [0] * writers, []
    until = time.perf_counter() + seconds

    def write(at: int) -> None:
        try:
            with psycopg.connect(url) as connection:
                while time.perf_counter() < until:
                    connection.execute("INSERT INTO bench_plain (body) VALUES (%s)", ["x" * 200])
                    if audited:
                        connection.execute("SELECT audit_append(%s::text[])", [[_event()]])
                    connection.commit()
                    done[at] += 1
        except psycopg.Error as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(at,)) for at in range(writers)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return {"rate": sum(done) / (time.perf_counter() - begun)}


def _event() -> list[str]:
    """An event as `unit_of_work` hands it to the database: the payload, and the two places that the database fills in."""
    at, seq = uuid.uuid4().hex, uuid.uuid4().hex
    body = {
        "id": str(uuid.uuid4()),
        "at": at,
        "seq": seq,
        "actor": "person:1",
        "action": "bench.wrote",
        "object": f"bench:{next(_numbers)}",
        "unit": 1,
        "origin": "api",
        "request_id": "bench",
        "data": {"says": "It was measured on the evaluation rows.", "value": 0.91},
    }
    return [canonical_json(body).decode(), at, seq]


def _verifying(report: Report, stack: BenchStack, name: str, size: Size) -> None:
    with psycopg.connect(stack.url(name), autocommit=True) as connection:
        for _ in range(size.big // AT_ONCE):
            connection.execute("SELECT audit_append(%s::text[])", [[_event() for _ in range(AT_ONCE)]])
    with database(name):
        payloads = list(AuditEvent.objects.order_by("seq").values_list("payload", flat=True))
        found = in_turns({"ours": partial(_verify, len(payloads)), "floor": partial(_hash, payloads)}, size.turns, {"rate": "/s"})
    mine, least = found["ours"]["rate"], found["floor"]["rate"]
    share = ratio(mine, least)
    report.lines.append(
        Line(
            f"B12 verify {len(payloads):,} events; floor: hashing alone (target: 150,000 a second)",
            str(mine),
            floor=str(least),
            ratio=f"{number(share.median)} of it",
            spread=share.spread,
        )
    )


def _verify(events: int) -> Mapping[str, float]:
    begun = time.perf_counter()
    said = verify(states=False)
    if said.outcome != Outcome.OK or said.events != events:
        raise AssertionError(said.says)
    return {"rate": events / (time.perf_counter() - begun)}


def _hash(payloads: list[str]) -> Mapping[str, float]:
    begun, chain = time.perf_counter(), GENESIS
    for payload in payloads:
        chain = chain_hash(chain, leaf_hash(payload.encode()))
    return {"rate": len(payloads) / (time.perf_counter() - begun)}
