"""The shipped collectors on real files, through planning, a real worker and judging."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter

import pytest

from gates.models import Chart, GateRun, Measurement
from gates.selectors.measured import measured_facts
from gates.services.judging import judge
from gates.services.planning import plan_runs
from governance.domain.facts import FactSet
from governance.domain.vocabulary import RunStatus, Track, Verdict
from governance.models import Revision, Submission
from governance.policy import evaluate
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_in_force
from governance.services.packs import load_shipped_packs
from governance.services.work import unit_of_work
from tests.gates import making
from tests.gates.engine.test_engine import all_finished, until
from tests.stack import Running

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = {"label": "default", "prediction": "pred", "score": "p", "id": "case_id", "sensitive": ["sex"]}


def predictions(noise: float, *, gap: float = 0.0) -> bytes:
    """3,000 scored cases; `noise` worsens the score, `gap` lowers it for one group."""
    chance, out = random.Random(7), io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["case_id", "default", "pred", "p", "sex"])
    for case in range(3_000):
        risk, sex = chance.random(), chance.choice(["female", "male"])
        label = int(chance.random() < risk)
        score = min(max(risk + chance.gauss(0, noise) - (gap if sex == "female" else 0.0), 0.0), 1.0)
        writer.writerow([case, label, int(score >= 0.5), f"{score:.4f}", sex])
    return out.getvalue().encode()


def hand_in(**files: bytes) -> Submission:
    evidence = [making.evidence(role, content, columns=COLUMNS) for role, content in files.items()]
    of = making.submission(facts={"decision.domain": "credit", "model.task": "classification"}, evidence=evidence)
    load_shipped_packs(caller=SYSTEM)
    _, pack = pack_in_force("ml_model")
    revision = Revision.objects.get(submission=of)
    facts = FactSet.from_json(revision.facts)
    with unit_of_work(SYSTEM) as work:
        plan_runs(work, submission=of, revision=revision, pack=pack, assessment=evaluate(pack, facts), facts=facts)
    return of


def verdicts(of: Submission) -> dict[str, str]:
    _, pack = pack_in_force("ml_model")
    with unit_of_work(SYSTEM) as work:
        return {row.code: row.verdict for row in judge(work, submission=of, revision=1, pack=pack, track=Track.RED)}


def test_real_files_become_measurements_charts_facts_and_verdicts(broker: Running | None, worker: Running) -> None:
    good, bad = predictions(0.05), predictions(0.05, gap=0.35)
    fair = hand_in(candidate_predictions=good, baseline_predictions=predictions(0.06))
    unfair = hand_in(candidate_predictions=bad, baseline_predictions=good)
    unreadable = hand_in(candidate_predictions=b"\x80\x04\x95pickle", baseline_predictions=good)
    assert until(all_finished, 120), list(GateRun.objects.values("collector", "status", "error"))
    statuses = Counter(GateRun.objects.values_list("status", flat=True))
    assert set(statuses) == {RunStatus.DONE.value}, list(GateRun.objects.exclude(status="done").values("collector", "error"))
    assert Measurement.objects.filter(submission=fair, metric__startswith="performance").exists()
    assert Chart.objects.filter(submission=fair).exclude(svg_light="").exclude(svg_dark="").exists()
    names = {fact.name for fact in measured_facts(fair.pk, 1)}
    assert "performance.relative_change" in names
    said_fair, said_unfair, said_unreadable = verdicts(fair), verdicts(unfair), verdicts(unreadable)
    assert said_fair["GF101"] == Verdict.PASS
    assert said_unfair["GF101"] == Verdict.FAIL
    assert said_unreadable["GF101"] == Verdict.NOT_ASSESSED
    broken = GateRun.objects.get(submission=unreadable, collector="fairness")
    assert "candidate_predictions.csv" in broken.not_measured
