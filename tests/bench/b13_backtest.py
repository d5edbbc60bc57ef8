"""B13: a back-test of past submissions against a draft pack: with columns not yet taken out of the snapshots, then with them."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import connection

from governance.domain.facts import FactSet
from governance.models import Backtest, FactColumn, PolicyPack, TrackDecision
from governance.policy import evaluate, load_pack
from governance.policy.editing import with_bands, with_example, with_outcome, with_version
from governance.policy.trying import read_document, try_all
from governance.selectors.policy import pack_in_force
from reviews.services.backtesting import run
from tests.bench.b1_submitting import requests
from tests.bench.figures import Line, Report, in_turns, ratio
from tests.bench.inproc import database, request
from tests.bench.servers import BenchStack
from tests.bench.size import Size
from tests.governance.policy import cases

_SYSTEM = """
INSERT INTO governance_systemversion (system_id, version, artifact_digest)
SELECT %(system)s, 'b13-' || i, '' FROM generate_series(1, %(many)s) i
"""
_SUBMISSIONS = """
INSERT INTO governance_submission (unit_id, system_id, version_id, kind, environment, submitter_id, state, turn, track,
  track_is_final, revision, policy_id, content_digest, idempotency_key, origin, dossier_digest)
SELECT %(unit)s, %(system)s, v.id, 'ml_model', 'production', %(person)s, 'approved', '', 'green', true, 1, %(policy)s, '', '',
  'bench', '' FROM governance_systemversion v WHERE v.system_id = %(system)s AND v.version LIKE 'b13-%%'
"""
_DECISIONS = """
INSERT INTO governance_trackdecision (submission_id, revision, final, track, policy_id, facts, pending, assessment, would_change)
SELECT s.id, 1, true, 'green', %(policy)s,
  (SELECT jsonb_agg(CASE WHEN f ->> 'name' = 'performance.relative_change'
     THEN jsonb_set(f, '{value}', to_jsonb(round((0.06 * sin(s.id))::numeric, 6))) ELSE f END)
   FROM jsonb_array_elements(%(facts)s::jsonb) f),
  '[]', %(assessment)s::jsonb, '[]'
FROM governance_submission s WHERE s.origin = 'bench' AND s.system_id = %(system)s
"""


def measure(stack: BenchStack, size: Size) -> Report:
    """The whole back-test in one process, reasons for those that change included."""
    many = max(size.big, 5_000) if size.big < 100_000 else 100_000
    report = Report("B13", f"back-test of {many:,} past submissions against a draft")
    name = stack.copy("bench_b13")
    token = json.loads((stack.folder / "home" / "demo.json").read_text())["tokens"]["ci"]
    with database(name):
        request(requests(token)(0), 201)  # all of them are of its system
        source, digest = _fill(many)
        cold = _timed(source, digest, forget=True)
        turns = {"warm": partial(_timed, source, digest), "plain": partial(_plain, source, many)}
        found = in_turns(turns, size.rounds, {"s": "s"})
        changed = Backtest.objects.latest("id").result
        assert changed is not None
    stack.drop(name)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    warm, plain = found["warm"]["s"], found["plain"]["s"]
    over = ratio(plain, warm)
    report.lines = [
        Line(f"B13 the first back-test that reads these facts, {many:,} submissions", f"{cold['s']:.2f} s"),
        Line(
            f"B13 the next ones (target: 3 s for 100,000); floor: every rule on decoded JSON ({changed['changed']:,} change)",
            str(warm),
            floor=str(plain),
            ratio=f"{over.median:.1f} × faster",
            spread=over.spread,
        ),
        Line("B13 resident memory of the process at most", f"{memory:.0f} MB"),
    ]
    report.notes.append(
        "The draft moves yellow and red of TR-071. Columns of the facts that a draft's changed rules read are kept; the floor "
        "decodes each snapshot and evaluates every rule, timed on 2,000 and scaled."
    )
    return report


def _fill(many: int) -> tuple[str, str]:
    row, pack = pack_in_force("ml_model")
    stored = PolicyPack.objects.get(pk=row.pk)
    facts = cases.facts()
    values: dict[str, Any] = {"policy": row.pk, "many": many}
    sample = TrackDecision.objects.select_related("submission").latest("id").submission
    values |= {"unit": sample.unit_id, "system": sample.system_id, "person": sample.submitter_id}
    values |= {"facts": json.dumps(facts.to_json()), "assessment": json.dumps(evaluate(pack, facts).to_json())}
    with connection.cursor() as cursor:
        for statement in (_SYSTEM, _SUBMISSIONS, _DECISIONS, "ANALYZE"):
            cursor.execute(statement, values if statement != "ANALYZE" else None)
    text = with_version(with_bands(stored.source, "TR-071", ">= 0.04", None), "2099.1.1")
    for failing in reversed([each for each in try_all(read_document(text)) if not each.passes]):
        text = with_outcome(text, failing.rule, failing.number, failing.came)
    text = with_example(text, "TR-071", "1 %", {"performance.relative_change": 0.01}, "held")
    return text, load_pack(text, stored.questionnaire).digest


def _timed(source: str, digest: str, forget: bool = False) -> Mapping[str, float]:
    if forget:
        FactColumn.objects.all().delete()
    row = Backtest.objects.create(name="ml_model", source=source, questionnaire=_questionnaire(), digest=digest)
    begun = time.perf_counter()
    assert run(row.pk)
    return {"s": time.perf_counter() - begun}


def _plain(source: str, many: int) -> Mapping[str, float]:
    pack = load_pack(source, _questionnaire())
    part = 2_000
    begun = time.perf_counter()
    for facts in TrackDecision.objects.order_by("-id").values_list("facts", flat=True)[:part].iterator(500):
        evaluate(pack, FactSet.from_json(facts))
    return {"s": (time.perf_counter() - begun) * many / part}


def _questionnaire() -> str:
    return PolicyPack.objects.filter(name="ml_model").exclude(active_from=None).latest("id").questionnaire
