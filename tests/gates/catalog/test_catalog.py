"""Every gate, whatever it checks: its examples are its tests, its docstring is its documentation, its judge is pure."""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import math
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gates import catalog, registry
from gates.registry import Gate
from gates.spec import HEADINGS, Example, Measure, Measured, Mode
from governance.domain.vocabulary import Kind, Role, Verdict

GATES = list(registry.gates().values())
CASES = [pytest.param(gate, example, id=f"{gate.code}-{example.name}") for gate in GATES for example in gate.examples]
CODE = re.compile(r"^G[DEFPXRMCAL]\d{3}$")
FORBIDDEN = {
    "django",
    "celery",
    "numpy",
    "pandas",
    "fairlearn",
    "shap",
    "sklearn",
    "duckdb",
    "pyarrow",
    "datetime",
    "time",
    "random",
    "os",
}


def test_there_are_gates() -> None:
    assert {"GP101", "GP102", "GF101", "GF102", "GF103", "GF104", "GF105"} <= {gate.code for gate in GATES}


@pytest.mark.parametrize(("gate", "example"), CASES)
def test_example(gate: Gate, example: Example) -> None:
    measured = Measured.of(example.measured)
    result = gate.judge(measured, gate.limits_with(example.limits))
    assert result.verdict is example.verdict, result.says
    assert result.says.strip(), "a verdict says why"
    if result.verdict in (Verdict.FAIL, Verdict.WARN, Verdict.NOT_ASSESSED):
        assert result.fix.strip(), "what is not a pass says what to do"
    for number in (result.observed, result.low, result.high):
        assert number is None or math.isfinite(number)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_judging_is_pure(gate: Gate) -> None:
    for example in gate.examples:
        limits = gate.limits_with(example.limits)
        before = copy.deepcopy((example.measured, limits))
        first = gate.judge(Measured.of(example.measured), limits)
        assert first == gate.judge(Measured.of(example.measured), limits)
        assert repr((example.measured, limits)) == repr(before)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_a_gate_imports_nothing_heavy_and_nothing_that_changes(gate: Gate) -> None:
    source = inspect.getsource(sys.modules[gate.module])
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not {name.split(".")[0] for name in names} & FORBIDDEN


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_declarations(gate: Gate) -> None:
    assert CODE.match(gate.code)
    assert re.match(r"^[a-z0-9]+(-[a-z0-9]+)+$", gate.name)
    assert gate.title
    assert gate.risk.endswith(".")
    assert gate.kinds and all(isinstance(kind, Kind) for kind in gate.kinds)
    assert isinstance(gate.read_by, Role)
    assert isinstance(gate.mode, Mode)
    assert gate.needs
    assert gate.collectors or gate.mode is Mode.HUMAN
    assert Path(sys.modules[gate.module].__file__ or "").stem.startswith(gate.code.lower())


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_documentation_has_the_five_headings_with_something_to_say(gate: Gate) -> None:
    assert tuple(gate.docs) == HEADINGS
    for heading, text in gate.docs.items():
        assert len(text) >= 40, f"{heading} says nothing"
    assert not re.search(r"\b(TODO|lorem ipsum)\b", " ".join(gate.docs.values()))


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_examples_show_the_four_kinds(gate: Gate) -> None:
    verdicts = {example.verdict for example in gate.examples}
    assert Verdict.PASS in verdicts
    assert verdicts & {Verdict.FAIL, Verdict.WARN}
    unmeasured = [example for example in gate.examples if not example.measured]
    assert unmeasured and all(example.verdict in (Verdict.NOT_ASSESSED, Verdict.NOT_APPLICABLE) for example in unmeasured)
    assert any("limit" in example.name or "exactly" in example.name for example in gate.examples)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_nothing_measured_is_never_a_pass(gate: Gate) -> None:
    for rows in ((), tuple(Measure(metric, None, reason="the child crashed") for metric in gate.needs)):
        assert gate.judge(Measured(rows), gate.limits_with()).verdict not in (Verdict.PASS, Verdict.WARN)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.code)
def test_the_collectors_it_reads_exist(gate: Gate) -> None:
    assert set(gate.collectors) <= set(registry.collectors())


def test_a_module_dropped_in_is_there_without_any_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = '''
        """Too small (GP999)

        ## What it checks
        Size.
        """
        from gates.spec import Example, Mode, at_least
        from governance.domain.vocabulary import Kind, Role, Verdict
        CODE, NAME, COLLECTORS, NEEDS = "GP999", "too-small", ("performance",), ("test.size",)
        KINDS, READ_BY, MODE, RISK, LIMITS = {Kind.ML_MODEL}, Role.ANALYST, Mode.AUTOMATIC, "Small.", {"least": 3}
        def judge(measured, limits):
            return at_least(measured, "test.size", limits["least"], because="it is small")
        EXAMPLES = ()
    '''
    (tmp_path / "gp999_too_small.py").write_text(textwrap.dedent(body))
    monkeypatch.setattr(catalog, "__path__", [*catalog.__path__, str(tmp_path)])
    registry.forget()
    try:
        gate = registry.gate("GP999")
        assert gate.title == "Too small"
        assert gate.judge(Measured.of({"test.size": 2}), gate.limits).verdict is Verdict.FAIL
        assert "GP101" in registry.gates()
    finally:
        sys.modules.pop("gates.catalog.gp999_too_small", None)
        monkeypatch.undo()
        registry.forget()
    assert "GP999" not in registry.gates()


def test_a_module_that_is_not_whole_is_refused_by_name() -> None:
    module = importlib.import_module("gates.catalog.gp101_worse_than_champion")
    broken = type(sys)("gates.catalog.broken")
    broken.__dict__.update({name: value for name, value in vars(module).items() if name != "RISK"})
    broken.__name__ = "gates.catalog.broken"
    with pytest.raises(ValueError, match=r"gates\.catalog\.broken lacks RISK"):
        registry.read_gate(broken)


def test_registering_imports_no_measuring_library() -> None:
    script = "import sys; from gates import registry; registry.gates(); registry.collectors(); print(*sys.modules)"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    heavy = {
        "numpy",
        "pandas",
        "scipy",
        "sklearn",
        "fairlearn",
        "shap",
        "duckdb",
        "pyarrow",
        "vl_convert",
        "altair",
        "xgboost",
        "onnxruntime",
    }
    assert not heavy & set(done.stdout.split())
