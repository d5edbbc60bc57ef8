"""An organisation's own gate from another distribution: installed, pinned by the pack, measured by a worker's child, refused when
it is not what was pinned."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gates import registry
from gates.models import GateOutcome, GateRun
from gates.selectors.runs import progress
from gates.services.claiming import claim_light
from gates.services.judging import judge
from gates.services.planning import plan_runs
from gates.services.presence import note_worker
from gates.services.unknown import mark_unknown
from governance.domain.errors import Conflict
from governance.domain.facts import FactSet
from governance.domain.vocabulary import RunStatus, Track, Verdict
from governance.models import PolicyPack, Revision, Submission
from governance.policy import Pack, evaluate, load_pack
from governance.policy.gate_use import PluginPin
from governance.selectors import plugins
from governance.selectors.access import SYSTEM
from governance.services.packs import load_pack_file
from governance.services.work import unit_of_work
from tests.gates import making
from tests.gates.engine.test_engine import QUICK, all_finished, until
from tests.reviews.making import PACK, QUESTIONNAIRE
from tests.stack import ROOT, Running

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLE = ROOT / "docs" / "examples" / "own-gate"
THIN = "id,postcode\n" + "".join(f"{n},{'N1' if n < 60 else 'N2'}\n" for n in range(80))


def install(where: Path, version: str = "1.0.0") -> None:
    """What an installer leaves behind: the package and its metadata, written here so that versions can differ."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    shutil.copytree(EXAMPLE / "acme_gates", where / "acme_gates", dirs_exist_ok=True)
    for old in where.glob("acme_gates-*.dist-info"):
        shutil.rmtree(old)
    info = where / f"acme_gates-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {place}" for name, place in points.items()), "")
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, as `pip install --target` fills one."""
    where = tmp_path / "site"
    where.mkdir()
    monkeypatch.syspath_prepend(str(where))
    yield where
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_gates"]:
        del sys.modules[name]
    registry.forget()


def text_of(**pin: str) -> str:
    use: dict[str, Any] = {
        "gate": "GZ101",
        "why": "Small areas.",
        "tracks": ["yellow", "red"],
        "blocking": True,
        "note": "house rule",
    }
    settings = {"area_minimum": {"value": 30, "note": "as for groups"}}
    return json.dumps({**PACK, "gates": [{**use, **({"plugin": pin} if pin else {})}], "collectors": settings})


def pack_of(**pin: str) -> Pack:
    return load_pack(text_of(**pin), json.dumps(QUESTIONNAIRE))


def planned(pack: Pack) -> Submission:
    of = making.submission(
        facts={"decision.domain": "credit"}, evidence=[making.evidence("candidate_predictions", THIN.encode())]
    )
    revision = Revision.objects.get(submission=of)
    facts = FactSet.from_json(revision.facts)
    with unit_of_work(SYSTEM) as work:
        assessment = evaluate(pack, facts, pending=frozenset())
        plan_runs(work, submission=of, revision=revision, pack=pack, assessment=assessment, facts=facts)
    return of


def judged(of: Submission, pack: Pack) -> GateOutcome:
    with unit_of_work(SYSTEM) as work:
        (outcome,) = judge(work, submission=of, revision=1, pack=pack, track=Track.RED)
    return outcome


def test_it_is_measured_by_a_worker_and_judged_like_any_other(site: Path, start_worker: Callable[..., Running]) -> None:
    install(site)
    registry.forget()
    gate = registry.gate("GZ101")
    assert gate.plugin is not None and str(gate.plugin) == "acme-gates 1.0.0"
    pack = pack_of(distribution="acme-gates", version="1.0.0", digest=gate.plugin.digest)
    of = planned(pack)
    start_worker(concurrency=1, PYTHONPATH=str(site), **QUICK)
    assert until(all_finished, 40)
    run = GateRun.objects.get()
    assert (run.collector, run.status, run.attempt) == ("area_coverage", RunStatus.DONE, 1), run.error
    outcome = judged(of, pack)
    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, 0.25)
    assert "too many people live in areas with too few rows" in outcome.says


@pytest.mark.parametrize("changed", ["version", "files"])
def test_a_worker_with_another_version_or_other_files_leaves_it_to_one_that_has_them(site: Path, changed: str) -> None:
    install(site)
    registry.forget()
    pack = pack_of(distribution="Acme_Gates", version="1.0.0")
    of = planned(pack)
    if changed == "version":
        install(site, "1.1.0")
    else:
        file = site / "acme_gates" / "area_coverage.py"
        file.write_text(file.read_text() + "\n# changed\n")
    registry.forget()
    assert claim_light(of.pk, worker="w") == []
    note_worker("w", "gates")
    assert mark_unknown() == 1
    (said,) = progress(of).runs
    assert "No running worker has the collector “area_coverage”, version 1 of acme-gates 1.0.0 (" in said.says
    assert GateRun.objects.get().attempt == 0
    if changed == "version":
        assert "pinned to the plug-in Acme_Gates 1.0.0, but 1.1.0 is installed" in judged(of, pack).says


def test_a_gate_that_is_not_what_the_pack_pins_is_neither_planned_nor_judged(site: Path) -> None:
    install(site)
    registry.forget()
    for pin, why in (
        ({}, "the policy does not pin it. Write “plugin: {distribution: acme-gates, version: “1.0.0”"),
        ({"distribution": "acme-gates", "version": "0.9"}, "but 1.0.0 is installed"),
        ({"distribution": "other-gates", "version": "1.0.0"}, "but here it comes from acme-gates 1.0.0"),
        ({"distribution": "acme-gates", "version": "1.0.0", "digest": "sha256:" + "0" * 64}, "are not the pinned ones"),
    ):
        pack = pack_of(**pin)
        of = planned(pack)
        assert not GateRun.objects.filter(submission=of).exists()
        outcome = judged(of, pack)
        assert (outcome.verdict, outcome.blocking) == (Verdict.NOT_ASSESSED, True)
        assert why in outcome.says


def test_a_pack_is_not_activated_with_another_plug_in_than_it_pins(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "ml_model.yaml"
    (tmp_path / "questionnaires").mkdir()
    (tmp_path / "questionnaires" / "ml_model.yaml").write_text(json.dumps(QUESTIONNAIRE))
    file.write_text(text_of(distribution="acme-gates", version="1.0.0"))
    with pytest.raises(Conflict, match=r"which is not installed here\. Install it for web servers and workers") as refused:
        load_pack_file(caller=SYSTEM, path=file)
    assert refused.value.code == "plugin_differs"
    assert not PolicyPack.objects.exists()
    install(site)
    registry.forget()
    load_pack_file(caller=SYSTEM, path=file)
    file.write_text(text_of())
    with pytest.raises(Conflict, match="does not pin it"):
        load_pack_file(caller=SYSTEM, path=file)


def test_a_pin_names_a_distribution_and_a_version() -> None:
    for wrong in (
        {"distribution": "acme gates", "version": "1"},
        {"distribution": "a"},
        {"distribution": "a", "version": "1", "digest": "x"},
    ):
        with pytest.raises(ValidationError):
            PluginPin.model_validate(wrong)


def test_a_broken_plug_in_is_left_out_and_named_while_the_others_go_on(site: Path) -> None:
    install(site)
    (site / "acme_gates" / "gz101_thin_areas.py").write_text("CODE = 'GZ999'\nraise OSError('no licence server')\n")
    (site / "acme_gates" / "area_coverage.py").write_text("NAME = 'performance'\n")
    registry.forget()
    assert "GZ101" not in registry.gates() and "GP101" in registry.gates()
    assert "area_coverage" not in registry.collectors()
    first, second = sorted(registry.problems())
    assert first.startswith("GZ101 of acme-gates 1.0.0 cannot be used (OSError: no licence server)")
    assert second.startswith("area_coverage of acme-gates 1.0.0 cannot be used")


def test_the_example_installs_with_pip_and_its_own_tests_pass(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", reason="no setuptools to build the example with")
    source = shutil.copytree(EXAMPLE, tmp_path / "source")
    site = tmp_path / "site"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*words, "--target", str(site), str(source)], capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("no pip in this environment")
    assert done.returncode == 0, done.stderr
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    asked = "from governance.selectors import plugins; print(plugins.provider('GZ101'))"
    said = subprocess.run(
        [sys.executable, "-c", asked], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "acme-gates 1.0.0"
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:django",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        str(source / "tests"),
    ]
    tested = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout
    assert "6 passed" in tested.stdout


def test_the_digest_is_that_of_the_files_and_not_of_where_they_lie(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site)
    registry.forget()
    here = plugins.provider("GZ101")
    other = tmp_path / "other"
    other.mkdir()
    install(other)
    monkeypatch.syspath_prepend(str(other))
    registry.forget()
    assert here is not None and plugins.provider("GZ101") == here
