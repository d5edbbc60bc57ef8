"""The hostile set of TRUST and GATES 4 through the collectors that read it, in the sandbox: each costs one answer in words.

`test_hostile_files.py` holds the memory bombs and damaged tables, `readers/test_models.py` every edit of a model file, and this
file what people hand in by mistake or on purpose: each refusal names file, what was expected, what was found and the way out,
what can still be measured is measured, and the next collector runs.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gates.collecting import EvidenceInput, Inputs
from gates.sandbox import GIB, Ran, SandboxLimits, Status, run_modules
from tests.gates.readers.making import MAPPING, evidence, predictions_file

LIMITS = SandboxLimits(memory_bytes=3 * GIB, wall_seconds=120, cpu_seconds=120)
COLUMNS = {**MAPPING, "sensitive": ["sex"]}
ROWS = 400


def ran(*names: str, **files: EvidenceInput) -> list[Ran]:
    """The collectors on the same files, in one child process."""
    return asked([(name, files) for name in names])


def asked(jobs: Sequence[tuple[str, Mapping[str, EvidenceInput]]]) -> list[Ran]:
    """One child process for many: what one of them does to it, the next one feels."""
    facts = {"champion.exists": True, "rollout.rollback_target": "1.0"}
    asked_for = [(f"{at}", f"gates.metrics.{name}", Inputs(dict(files), facts)) for at, (name, files) in enumerate(jobs)]
    return list(run_modules(asked_for, limits=LIMITS))


def csv(header: str = "case_id,y,p,pred,sex", mark: str = ",", decimal: str = ".", end: str = "\n") -> str:
    rows = [
        mark.join(
            [
                f"C{n}",
                str((n % 4 == 0 and 1) or 0),
                f"{(n % 100) / 100:.2f}".replace(".", decimal),
                str(int(n % 100 >= 50)),
                "mf"[n % 2],
            ]
        )
        for n in range(ROWS)
    ]
    return end.join([header.replace(",", mark), *rows, ""])


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.csv", csv())
    return out.getvalue()


TEXTS: dict[str, tuple[bytes, str]] = {
    "a NUL byte": (csv().replace("C7,", "C\0,").encode(), "NUL byte"),
    "a quote never closed": (csv().replace("C5,", '"C5,').encode(), "quot"),
    "decimal commas": (csv(mark=";", decimal=",").encode(), "decimal commas"),
    "two header rows": (csv().replace("C3,", "case_id,y,p,pred,sex\nC3,").encode(), "it again in line"),
    "UTF-16": (csv().encode("utf-16"), "UTF-16"),
    "another encoding": (csv().replace("C9,", "Cé,").encode("latin-1"), "another encoding"),
    "numbers mixed with text": (csv().replace(",0.42,", ",n. a. yet,").encode(), "n. a. yet"),
    "a zip archive": (zipped(), ""),
    "a pickle called csv": (pickle.dumps({"p": [1]}), "pickle"),
    "nothing": (b"", ""),
    "a web page": (b"<!DOCTYPE html><p>Sign in</p>", "web page"),
    "a header only": (b"case_id,y,p,pred,sex\n", ""),
}


def test_files_that_cannot_be_read_are_refused_in_words_by_each_collector(tmp_path: Path) -> None:
    jobs = []
    for at, (content, _) in enumerate(TEXTS.values()):
        path = tmp_path / f"scores-{at}.csv"
        path.write_bytes(content)
        jobs += [(name, {"candidate_predictions": evidence(path, COLUMNS)}) for name in ("performance", "fairness")]
    answers = asked(jobs)
    for at, (what, (_, words)) in enumerate(TEXTS.items()):
        for got in answers[2 * at : 2 * at + 2]:
            assert got.status is Status.DONE, (what, got.reason, got.detail)
            assert got.collected is not None
            said = got.collected.not_measured
            assert said.startswith(f"scores-{at}.csv") and "expected" in said and "found" in said and words in said, (what, said)
            assert said.rstrip().endswith("."), "the way out closes it"


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(b"\xef\xbb\xbf" + csv(end="\r\n").encode())
    (got,) = ran("performance", candidate_predictions=evidence(path, COLUMNS))
    assert got.collected is not None and not got.collected.not_measured, got.collected
    assert any(row.metric == "performance.candidate.roc_auc" for row in got.collected.measures)


def changed(**columns: object) -> Callable[[Path], Path]:
    return lambda folder: predictions_file(folder, **columns)  # type: ignore[arg-type]


BAD_ROWS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "a key twice": (changed(case_id=["C-1", "C-1", *(f"C-{n}" for n in range(2, ROWS))]), "case_id", "more than once"),
    "a key missing": (changed(case_id=[None, *(f"C-{n}" for n in range(1, ROWS))]), "case_id", "1 of 400 rows missing"),
    "scores outside 0 to 1": (changed(p=[3.2] + [0.5] * (ROWS - 1)), "p", "1 of 400 outside"),
    "a score that is NaN": (changed(p=[float("nan")] + [0.5] * (ROWS - 1)), "p", "NaN"),
    "an infinite score": (changed(p=[float("inf")] + [0.5] * (ROWS - 1)), "p", "infinite"),
    "one class only": (changed(y=[0] * ROWS), "y", "only 0"),
    "labels with three values": (changed(y=[n % 3 for n in range(ROWS)]), "y", "0, 1, 2"),
    "a label column that is not there": (changed(y=None), "y", "none among"),
}


def test_rows_that_cannot_be_used_name_file_and_column(tmp_path: Path) -> None:
    paths = []
    for at, (make, _, _) in enumerate(BAD_ROWS.values()):
        folder = tmp_path / str(at)
        folder.mkdir()
        paths.append(make(folder))
    answers = asked([("performance", {"candidate_predictions": evidence(path, COLUMNS)}) for path in paths])
    for got, path, (what, (_, column, words)) in zip(answers, paths, BAD_ROWS.items(), strict=True):
        assert got.status is Status.DONE and got.collected is not None, what
        said = got.collected.not_measured
        assert said.startswith(f"{path.name}, column “{column}”: expected ") and words in said, (what, said)


def test_keys_that_do_not_match_leave_the_candidate_measured_and_the_comparison_refused(tmp_path: Path) -> None:
    own = evidence(predictions_file(tmp_path), COLUMNS)
    other = predictions_file(tmp_path, "champion.parquet", case_id=[f"X-{n}" for n in range(ROWS)])
    performance, rollback = ran(
        "performance",
        "rollback",
        candidate_predictions=own,
        baseline_predictions=evidence(other, COLUMNS, role="baseline_predictions"),
    )
    assert performance.collected is not None and not performance.collected.not_measured
    rows = {row.metric: row for row in performance.collected.measures if not row.group}
    assert rows["performance.candidate.accuracy"].value is not None, "what can be measured is"
    assert rows["performance.comparable"].value == 0 and "0 of them" in rows["performance.comparable"].reason
    assert rollback.collected is not None
    assert rollback.collected.not_measured.startswith("champion.parquet, column “case_id”: expected row keys that occur")


def test_scores_that_are_reversed_or_all_the_same_are_pointed_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    label = (rng.random(ROWS) < 0.4).astype(int)
    reversed_scores = np.clip(0.8 - 0.5 * label + rng.normal(0, 0.1, ROWS), 0, 1)
    cases = {"wrong way round": reversed_scores, "Every score is the same": np.full(ROWS, 0.25)}
    jobs = []
    for at, score in enumerate(cases.values()):
        path = predictions_file(
            tmp_path, f"{at}.parquet", y=label.tolist(), p=score.tolist(), pred=(score >= 0.5).astype(int).tolist()
        )
        jobs.append(("performance", {"candidate_predictions": evidence(path, COLUMNS)}))
    for got, words in zip(asked(jobs), cases, strict=True):
        assert got.collected is not None and any(words in note for note in got.collected.notes), got.collected


def test_a_bomb_costs_its_own_collectors_and_the_others_are_measured(tmp_path: Path) -> None:
    """50 million equal numbers decode from a few kilobytes; the drift collector streams a column, the others do not care."""
    bomb = tmp_path / "reference.parquet"
    with pq.ParquetWriter(bomb, pa.schema([("x", pa.int64())])) as writer:
        group = pa.table({"x": np.zeros(10_000_000, dtype=np.int64)})
        for _ in range(6):
            writer.write_table(group, row_group_size=10_000_000)
    assert bomb.stat().st_size < 1_000_000
    good = evidence(predictions_file(tmp_path), COLUMNS)
    drift, performance = ran(
        "drift",
        "performance",
        candidate_predictions=good,
        reference_sample=evidence(bomb, role="reference_sample"),
        current_sample=evidence(predictions_file(tmp_path, "now.parquet"), role="current_sample"),
    )
    assert drift.status is Status.DONE and drift.collected is not None
    assert "reference.parquet: expected at most 50,000,000 rows, found 60,000,000" in drift.collected.not_measured
    assert performance.collected is not None and not performance.collected.not_measured
