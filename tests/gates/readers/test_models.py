"""Model readers: what is opened gives the library's own numbers; what is damaged or hostile is refused before a library sees
it.
"""

from __future__ import annotations

import gzip
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import tables
from gates.readers.models import open_model
from gates.readers.models_recognise import ModelFormat, recognise
from tests.gates.readers import model_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows and one model per format."""
    path = tmp_path_factory.mktemp("models")
    frame, label = model_files.sample()
    frame["region"] = np.where(frame.a > 1, "north", np.where(frame.b > 0, "south", "east"))
    coded = frame.astype({"region": "category"})
    frame.to_csv(path / "rows.csv", index=False)
    coded.to_pickle(path / "coded.pkl")
    model_files.train_xgboost(path / "x.json", coded, label)
    model_files.train_xgboost(path / "x.ubj", coded, label)
    model_files.train_lightgbm(path / "l.txt", coded, label)
    numbers = frame.drop(columns="region")
    model_files.train_xgboost(path / "plain.json", numbers, label, rounds=5)
    skops.io.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, label), path / "s.skops")
    model_files.onnx_logistic(path / "o.onnx", np.array([1.5, -1.0, 0.3, 0.1, 0.0, 0.0]), -0.2)
    return path


def opened_rows(folder: Path, model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margin, contributions and base value of the sample's rows."""
    opened = open_model(model_files.evidence("candidate_model", folder / model))
    sample = model_files.evidence("explanation_sample", folder / "rows.csv")
    rows = opened.matrix(tables.load(sample, opened.features), opened.features, sample)
    return opened.margin(rows), *opened.contributions(rows)


@pytest.mark.parametrize("name", ["x.json", "x.ubj"])
def test_xgboost_gives_its_own_margin_with_text_categories(folder: Path, name: str) -> None:
    margin, matrix, base = opened_rows(folder, name)
    frame = pd.read_pickle(folder / "coded.pkl")
    own = xgboost.Booster(model_file=str(folder / name)).predict(
        xgboost.DMatrix(frame, enable_categorical=True), output_margin=True
    )
    assert np.abs(margin - own).max() == 0
    assert np.abs(matrix.sum(axis=1) + base - margin).max() < 1e-4


def test_lightgbm_gives_its_own_margin_with_text_categories(folder: Path) -> None:
    margin, matrix, base = opened_rows(folder, "l.txt")
    own = lightgbm.Booster(model_file=str(folder / "l.txt")).predict(pd.read_pickle(folder / "coded.pkl"), raw_score=True)
    assert np.abs(margin - own).max() == 0
    assert np.abs(matrix.sum(axis=1) + base - margin).max() < 1e-9


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_onnx_and_skops_give_log_odds(folder: Path) -> None:
    rows = np.array([[1.0, 0, 0, 0, 0, 0], [0, 2.0, 0, 0, 0, 1]])
    onnx = open_model(model_files.evidence("candidate_model", folder / "o.onnx"))
    assert onnx.count == 6
    assert onnx.margin(rows) == pytest.approx([1.3, -2.2], abs=1e-5)
    assert onnx.scale == "log-odds"
    pipeline = open_model(model_files.evidence("candidate_model", folder / "s.skops"))
    assert pipeline.features == ("a", "b", "c", "d", "e", "sex")
    assert pipeline.margin(rows) == pytest.approx(
        pipeline.estimator[-1].decision_function(pipeline.estimator[:-1].transform(rows)), abs=1e-9
    )


def test_content_decides_not_the_name(folder: Path, tmp_path: Path) -> None:
    found = {name: recognise(folder / name).format for name in ("x.json", "x.ubj", "l.txt", "o.onnx", "s.skops")}
    assert found == {
        "x.json": ModelFormat.XGBOOST_JSON, "x.ubj": ModelFormat.XGBOOST_UBJ, "l.txt": ModelFormat.LIGHTGBM_TEXT,
        "o.onnx": ModelFormat.ONNX, "s.skops": ModelFormat.SKOPS,
    }  # fmt: skip
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        disguised = tmp_path / "model.onnx"
        disguised.write_bytes(pickle.dumps({"weights": [1, 2, 3]}, protocol=protocol))
        assert recognise(disguised).format is ModelFormat.PICKLE, protocol
    joblib.dump(LogisticRegression(), tmp_path / "plain.ubj")
    assert recognise(tmp_path / "plain.ubj").format is ModelFormat.PICKLE
    joblib.dump(LogisticRegression(), tmp_path / "packed.ubj", compress=3)
    assert recognise(tmp_path / "packed.ubj").format is ModelFormat.COMPRESSED
    (tmp_path / "z.json").write_bytes(gzip.compress(b"{}"))
    assert recognise(tmp_path / "z.json").format is ModelFormat.COMPRESSED
    with zipfile.ZipFile(tmp_path / "t.skops", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
        archive.writestr("schema.json", "{}")
    assert recognise(tmp_path / "t.skops").format is ModelFormat.TORCH


def test_pickles_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "model.ubj"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(EvidenceProblem, match=r"model\.ubj.*can run code.*UBJSON.*upload predictions"):
        open_model(model_files.evidence("candidate_model", path))


def test_another_format_than_declared_is_named(folder: Path) -> None:
    wrong = EvidenceInput("candidate_model", str(folder / "l.txt"), "l.txt", "", format="onnx")
    with pytest.raises(EvidenceProblem, match="expected onnx, as declared, found LightGBM text"):
        open_model(wrong)


DAMAGE = {
    "child outside": lambda tree: tree["left_children"].__setitem__(0, 1_000_000),
    "cycle": lambda tree: tree["left_children"].__setitem__(1, 0),
    "shared node": lambda tree: tree["right_children"].__setitem__(0, tree["left_children"][0]),
    "split outside": lambda tree: tree["split_indices"].__setitem__(0, 9_999),
    "negative split": lambda tree: tree["split_indices"].__setitem__(0, -3),
    "one child": lambda tree: tree["right_children"].__setitem__(0, -1),
    "short list": lambda tree: tree["split_conditions"].pop(),
    "not whole": lambda tree: tree["left_children"].__setitem__(0, 1.5),
    "text": lambda tree: tree["left_children"].__setitem__(0, "1"),
    "wrong count": lambda tree: tree["tree_param"].__setitem__("num_nodes", "3"),
    "categorical without categories": lambda tree: tree["split_type"].__setitem__(0, 1),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_xgboost_is_refused_before_loading(folder: Path, tmp_path: Path, damage: str) -> None:
    path = model_files.edited_json(
        folder / "plain.json", tmp_path / "m.json", lambda doc: DAMAGE[damage](model_files.first_tree(doc))
    )
    with pytest.raises(EvidenceProblem, match=r"m\.json: expected .*, found .*"):
        open_model(model_files.evidence("candidate_model", path))


def test_huge_feature_count_and_cut_files_are_refused(folder: Path, tmp_path: Path) -> None:
    huge = model_files.edited_json(
        folder / "plain.json",
        tmp_path / "huge.json",
        lambda doc: doc["learner"]["learner_model_param"].__setitem__("num_feature", "2000000000"),
    )
    for path in (
        huge,
        *(
            _cut(folder / name, tmp_path, part)
            for name in ("x.json", "x.ubj", "l.txt", "o.onnx", "s.skops")
            for part in (0.3, 0.9)
        ),
    ):
        with pytest.raises(EvidenceProblem, match=f"{path.name}: expected"):
            open_model(model_files.evidence("candidate_model", path))


def _cut(source: Path, folder: Path, part: float) -> Path:
    target = folder / f"{part}-{source.name}"
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * part)])
    return target


FLIPS = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from pathlib import Path
from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.models import open_model
source, target, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
data, opened = source.read_bytes(), 0
for at in np.random.default_rng(5).integers(0, len(data), count).tolist():
    target.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
    try:
        model = open_model(EvidenceInput("candidate_model", str(target), target.name, ""))
        model.contributions(np.zeros((3, model.count)))
        opened += 1
    except EvidenceProblem:
        pass
    except Exception as error:
        if "xgboost" not in type(error).__module__ and "lightgbm" not in type(error).__module__:
            raise
print("done", opened)
"""


@pytest.mark.parametrize("name", ["x.ubj", "x.json", "l.txt"])
def test_no_flipped_byte_ends_the_process(folder: Path, tmp_path: Path, name: str) -> None:
    """In a child process, so that a crash is a failed test and not the end of the tests."""
    target = tmp_path / f"flipped-{name}"
    done = subprocess.run(
        [sys.executable, "-c", FLIPS, str(folder / name), str(target), "40"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-600:]
    assert done.stdout.startswith("done")


LIGHTGBM_DAMAGE = {
    "child outside": ("left_child=", lambda parts: ["999", *parts[1:]]),
    "cycle": ("left_child=", lambda parts: ["0", *parts[1:]]),
    "leaf twice": ("right_child=", lambda parts: [*parts[:-1], parts[0]]),
    "negative outside": ("right_child=", lambda parts: [*parts[:-1], "-999"]),
    "split outside": ("split_feature=", lambda parts: ["77", *parts[1:]]),
    "not a number": ("threshold=", lambda parts: ["x", *parts[1:]]),
    "too few": ("leaf_value=", lambda parts: parts[:-1]),
}


@pytest.mark.parametrize("damage", LIGHTGBM_DAMAGE)
@pytest.mark.parametrize("mend_sizes", [True, False])
def test_damaged_lightgbm_is_refused_before_loading(folder: Path, tmp_path: Path, damage: str, mend_sizes: bool) -> None:
    start, change = LIGHTGBM_DAMAGE[damage]
    lines = (folder / "l.txt").read_text().split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith(start))
    changed = start + " ".join(change(lines[at].removeprefix(start).split(" ")))
    if mend_sizes:
        sizes = next(index for index, line in enumerate(lines) if line.startswith("tree_sizes="))
        parts = lines[sizes].removeprefix("tree_sizes=").split(" ")
        parts[0] = str(int(parts[0]) + len(changed) - len(lines[at]))
        lines[sizes] = "tree_sizes=" + " ".join(parts)
    lines[at] = changed
    path = tmp_path / "l.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(EvidenceProblem, match=r"l\.txt: expected .*tree"):
        open_model(model_files.evidence("candidate_model", path))


def test_lightgbm_without_tree_sizes_is_refused(folder: Path, tmp_path: Path) -> None:
    lines = [line for line in (folder / "l.txt").read_text().split("\n") if not line.startswith("tree_sizes=")]
    (tmp_path / "l.txt").write_text("\n".join(lines))
    with pytest.raises(EvidenceProblem, match="expected a tree_sizes line"):
        open_model(model_files.evidence("candidate_model", tmp_path / "l.txt"))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"operator": "Loop"}, "“Loop”"),
        ({"operator": "Scan"}, "“Scan”"),
        ({"operator": "If"}, "“If”"),
        ({"domain": "com.evil"}, "domain “com.evil”"),
        ({"external": True}, "a reference to another file"),
        ({"subgraph": True}, "a nested graph"),
    ],
)
def test_hostile_onnx_is_refused_before_the_runtime(tmp_path: Path, options: dict[str, object], found: str) -> None:
    path = model_files.onnx_logistic(tmp_path / "m.onnx", np.array([1.0, 2.0]), 0.0, **options)  # type: ignore[arg-type]
    with pytest.raises(EvidenceProblem, match=found):
        open_model(model_files.evidence("candidate_model", path))


def test_skops_with_other_types_is_refused(tmp_path: Path) -> None:
    frame, label = model_files.sample(rows=200)
    skops.io.dump(xgboost.XGBClassifier(n_estimators=2, nthread=1).fit(frame, label), tmp_path / "m.skops")
    with pytest.raises(EvidenceProblem, match=r"scikit-learn types only, found .*xgboost"):
        open_model(model_files.evidence("candidate_model", tmp_path / "m.skops"))


def test_the_libraries_really_crash_on_what_is_refused_here(folder: Path, tmp_path: Path) -> None:
    """In a child process: without the check, one wrong index ends the process. This is why the check exists."""
    path = model_files.edited_json(
        folder / "plain.json", tmp_path / "m.json", lambda doc: DAMAGE["child outside"](model_files.first_tree(doc))
    )
    code = (
        "import sys, numpy, xgboost; b = xgboost.Booster(model_file=sys.argv[1]);"
        "b.predict(xgboost.DMatrix(numpy.zeros((5, 6)), feature_names=list('abcde') + ['sex']), pred_contribs=True)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, timeout=60, check=False)
    assert done.returncode != 0
    with pytest.raises(EvidenceProblem, match="children of tree 0"):
        open_model(model_files.evidence("candidate_model", path))
