"""Two prediction files joined on their key: the same answers as pandas, in any number of parts, with any kind of key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates.collecting import Collected, EvidenceProblem, Inputs
from gates.metrics import rollback
from gates.readers import keys as reader_keys
from gates.spec import Measured
from tests.gates.readers.making import evidence, parquet_file

COLUMNS: dict[str, Any] = {"id": "k", "label": "y", "prediction": "d", "score": "p", "sensitive": ["sex", "zone"]}


def frames(rows: int = 3_000, keys: str = "numbers", digits: int = 6) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(11)
    key = np.arange(rows) * 7_919 if keys == "numbers" else np.array([f"case-{n:06d}" for n in range(rows)], dtype=object)
    p = np.round(rng.random(rows), digits)
    q = np.clip(np.round(p + rng.normal(0, 0.1, rows), digits), 0, 1)
    common = {"k": key, "y": rng.integers(0, 2, rows), "sex": rng.choice(["f", "m"], rows), "zone": rng.choice([*"abcd"], rows)}
    now = pd.DataFrame({**common, "p": p, "d": (p >= 0.5).astype(int)})
    before = pd.DataFrame({**common, "p": q, "d": (q >= 0.5).astype(int)})
    return now, before.sample(frac=1, random_state=1)


def collect(folder: Path, now: pd.DataFrame, before: pd.DataFrame) -> Collected:
    files = {}
    for role, frame in (("candidate_predictions", now), ("baseline_predictions", before)):
        path = parquet_file(folder, {name: list(frame[name]) for name in frame}, f"{role}.parquet")
        files[role] = evidence(path, COLUMNS, role=role)
    return rollback.collect(Inputs(files))


@pytest.mark.parametrize("keys", ["numbers", "words"])
@pytest.mark.parametrize("part_rows", [10_000_000, 700])
def test_the_counts_are_those_of_pandas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str, part_rows: int) -> None:
    monkeypatch.setattr(reader_keys, "WHOLE_ROWS", part_rows)
    monkeypatch.setattr(reader_keys, "TEXT_ROWS", part_rows)
    now, before = frames(keys=keys)
    before = before.iloc[:2_900]
    got = collect(tmp_path, now, before)
    measured = Measured(got.measures)
    both = now.merge(before[["k", "d", "p"]], on="k", suffixes=("", "_before"))
    flipped = both["d"] != both["d_before"]

    def value(metric: str, group: str = "") -> float:
        row = measured.one(metric, group)
        assert row is not None and row.value is not None
        return row.value

    assert value("rollback.flip_rate") == pytest.approx(flipped.mean(), abs=1e-12)
    assert value("rollback.flips_up") == (flipped & (both["d"] == 1)).sum()
    assert value("rollback.flips_down") == (flipped & (both["d"] == 0)).sum()
    assert value("rollback.negative_flip_rate") == pytest.approx((flipped & (both["d_before"] == both["y"])).mean(), abs=1e-12)
    for column in ("sex", "zone"):
        for level, part in flipped.groupby(both[column]):
            assert value("rollback.segment_flip_rate", f"{column}={level}") == pytest.approx(part.mean(), abs=1e-12)
    assert any("100 rows only in candidate" in note for note in got.notes)
    largest = both.assign(move=(both["p"] - both["p_before"]).abs()).nlargest(10, "move")
    shown = next(picture for picture in got.pictures if "move" in picture.key or "move" in picture.title.lower())
    assert {str(row[0]) for row in shown.rows} == set(largest["k"].astype(str))


def test_equal_moves_are_shown_in_the_order_of_their_keys_however_the_work_is_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, before = frames(digits=1)
    whole = collect(tmp_path, now, before).pictures
    monkeypatch.setattr(reader_keys, "WHOLE_ROWS", 250)
    assert collect(tmp_path, now, before).pictures == whole


@pytest.mark.parametrize("keys", ["numbers", "words"])
def test_a_key_that_repeats_is_counted(tmp_path: Path, keys: str) -> None:
    now, before = frames(keys=keys)
    now.loc[5, "k"] = now.loc[6, "k"]
    with pytest.raises(EvidenceProblem, match="1 doubled and 0 empty"):
        collect(tmp_path, now, before)


def test_a_sensitive_column_with_very_many_values_is_left_out_and_named(tmp_path: Path) -> None:
    now, before = frames()
    now["zone"] = [f"z{n}" for n in range(len(now))]
    got = collect(tmp_path, now, before)
    assert any("Flips by zone were not counted" in note for note in got.notes)
    groups = {row.group for row in Measured(got.measures).all("rollback.segment_flip_rate")}
    assert groups == {"sex=f", "sex=m"}


def test_decisions_as_true_and_false_are_decisions(tmp_path: Path) -> None:
    now, before = frames()
    same = Measured(collect(tmp_path, now, before).measures).one("rollback.flip_rate")
    as_words = Measured(collect(tmp_path, now.assign(d=now["d"] == 1), before).measures).one("rollback.flip_rate")
    assert same is not None and as_words is not None and same.value == as_words.value
