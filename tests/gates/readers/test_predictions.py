"""Predictions and pairs: each mistake people make gets a refusal that names file, column, what was found and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from gates.collecting import EvidenceProblem
from gates.readers import predictions
from tests.gates.readers.making import MAPPING, csv_file, evidence, predictions_file

N = 400


def refused(action: Callable[[], Any]) -> EvidenceProblem:
    with pytest.raises(EvidenceProblem) as caught:
        action()
    assert caught.value.way_out.endswith(".")
    return caught.value


def bad(folder: Path, mapping: dict[str, Any] | None = None, threshold: float | None = None, **changes: Any) -> EvidenceProblem:
    path = predictions_file(folder, **changes)
    got = refused(lambda: predictions.read(evidence(path, mapping or MAPPING), threshold=threshold))
    assert got.file == "p.parquet"
    return got


def test_good_predictions(tmp_path: Path) -> None:
    got = predictions.read(evidence(predictions_file(tmp_path), MAPPING), threshold=0.5)
    assert got.rows == N
    assert got.label is not None and got.decision is not None and got.score is not None
    assert set(got.label) == set(got.decision) == {0.0, 1.0}
    assert got.notes == ()


def test_decisions_follow_from_score_and_threshold_where_the_file_has_none(tmp_path: Path) -> None:
    mapping = {**MAPPING, "prediction": ""}
    got = predictions.read(evidence(predictions_file(tmp_path), mapping), threshold=0.5)
    assert got.decision is not None
    assert got.decision.tolist() == predictions.read(evidence(predictions_file(tmp_path), MAPPING)).decision.tolist()  # type: ignore[union-attr]
    assert "score >= 0.5" in got.notes[0]


def test_labels_that_are_not_binary(tmp_path: Path) -> None:
    got = bad(tmp_path, y=[i % 3 for i in range(N)])
    assert (got.column, got.expected, got.found) == ("y", "labels 0 and 1", "0, 1, 2")
    assert "positive" in got.way_out
    assert bad(tmp_path, y=["yes" if i % 2 else "no" for i in range(N)]).found == "no, yes"
    assert bad(tmp_path, y=[1 if i % 2 else -1 for i in range(N)]).found == "-1, 1"


def test_the_positive_value_may_be_named(tmp_path: Path) -> None:
    path = predictions_file(tmp_path, y=["bad" if i % 2 else "good" for i in range(N)])
    got = predictions.read(evidence(path, {**MAPPING, "positive": "bad"}))
    assert got.label is not None
    assert got.label[:4].tolist() == [0, 1, 0, 1]
    assert (
        "two values, one of them “ugly”"
        in refused(lambda: predictions.read(evidence(path, {**MAPPING, "positive": "ugly"}))).expected
    )


@pytest.mark.parametrize(
    ("values", "expected", "found"),
    [
        ([float("nan")] * 3 + [0.5] * (N - 3), "a score in every row", "3 of 400 rows missing or NaN"),
        ([None] + [0.5] * (N - 1), "a score in every row", "1 of 400 rows missing or NaN"),
        ([float("inf")] + [0.5] * (N - 1), "a score in every row", "1 of 400 rows infinite"),
        ([1.7, -0.2] + [0.5] * (N - 2), "scores from 0 to 1", "2 of 400 outside (from -0.2 to 1.7)"),
        ([f"{i}%" for i in range(N)], "numbers", "text (“0%”)"),
    ],
)
def test_scores_that_cannot_be_used(tmp_path: Path, values: list[Any], expected: str, found: str) -> None:
    got = bad(tmp_path, p=values)
    assert (got.column, got.expected, got.found) == ("p", expected, found)


def test_scores_of_exactly_zero_and_one_are_scores(tmp_path: Path) -> None:
    got = predictions.read(evidence(predictions_file(tmp_path, p=[0.0, 1.0] * 200, pred=[0, 1] * 200), MAPPING), threshold=0.5)
    assert got.score is not None and set(got.score) == {0.0, 1.0}


def test_a_score_mapped_as_decision_is_recognised(tmp_path: Path) -> None:
    got = bad(tmp_path, mapping={**MAPPING, "prediction": "p"})
    assert "Map this column as `score`" in got.way_out


def test_decisions_that_do_not_follow_from_the_threshold(tmp_path: Path) -> None:
    assert "score >= 0.6" in bad(tmp_path, threshold=0.6).expected


def test_ids(tmp_path: Path) -> None:
    got = bad(tmp_path, case_id=["secret-1"] * 2 + [f"C{i}" for i in range(N - 2)])
    assert got.column == "case_id"
    assert got.found == "1 ids more than once in 400 rows (such as s…(8))", "examples are masked"
    assert bad(tmp_path, case_id=[None] * 2 + [f"C{i}" for i in range(N - 2)]).found == "2 of 400 rows missing"


def test_weights(tmp_path: Path) -> None:
    assert bad(tmp_path, mapping={**MAPPING, "weight": "w"}, w=[-1.0] + [1.0] * (N - 1)).expected == "weights of zero or more"


def test_no_mapping(tmp_path: Path) -> None:
    assert bad(tmp_path, mapping={"id": "case_id"}).expected == "a column mapping with `prediction` or `score`"


def test_pairing_is_by_id_whatever_the_row_order(tmp_path: Path) -> None:
    a = predictions_file(tmp_path, "a.parquet")
    table = pq.read_table(a)
    shuffled = np.random.default_rng(1).permutation(N)
    scores = np.asarray(table["p"])
    pq.write_table(
        table.set_column(table.schema.get_field_index("p"), "p", [np.clip(scores + 0.01, 0, 1)]).take(shuffled),
        tmp_path / "b.parquet",
    )
    first, second = (predictions.read(evidence(tmp_path / name, MAPPING)) for name in ("a.parquet", "b.parquet"))
    got = predictions.pair(first, second)
    assert first.score is not None and got.baseline.score is not None
    np.testing.assert_allclose(got.baseline.score - first.score, np.clip(scores + 0.01, 0, 1) - scores)
    assert not got.identical
    assert first.digest() == second.digest() != "", "the digest of the evaluation set does not depend on the order"


def test_ids_of_other_types_still_meet(tmp_path: Path) -> None:
    a = predictions_file(tmp_path, "a.parquet", case_id=list(range(N)))
    b = predictions_file(tmp_path, "b.parquet", case_id=[str(i) for i in range(N)], p=[0.4] * N, pred=[0] * N)
    got = predictions.pair(*(predictions.read(evidence(path, MAPPING)) for path in (a, b)))
    assert got.baseline.rows == N


def test_pairs_that_cannot_be_compared(tmp_path: Path) -> None:
    def pair(mapping: dict[str, Any] | None = None, **changes: Any) -> EvidenceProblem:
        a, b = predictions_file(tmp_path, "a.parquet"), predictions_file(tmp_path, "b.parquet", **changes)
        first, second = predictions.read(evidence(a, MAPPING)), predictions.read(evidence(b, mapping or MAPPING))
        return refused(lambda: predictions.pair(first, second))

    assert "own file again" in pair().found
    got = pair(case_id=[f"C-{i + 3:05d}" for i in range(N)])
    assert got.found == (
        "397 of them; 3 ids only in a.parquet (such as C…(7), C…(7)), 3 only in b.parquet (such as C…(7), C…(7))"
    )
    got = pair(y=[int(i % 4 == 1) for i in range(N)])
    assert (got.file, got.column, got.found) == ("b.parquet", "y", "200 of 400 labels that differ")
    assert "row order is never used" in pair(mapping={**MAPPING, "id": ""}, p=[0.5] * N, pred=[1] * N).way_out


def test_a_file_with_the_same_values_is_noticed(tmp_path: Path) -> None:
    a, b = predictions_file(tmp_path, "a.parquet"), predictions_file(tmp_path, "b.parquet", extra=[1] * N)
    assert predictions.pair(*(predictions.read(evidence(path, MAPPING)) for path in (a, b))).identical


def test_csv_predictions(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "case_id,y,pred,p\n" + "\n".join(f"{i},{i % 2},{i % 2},{0.2 + 0.5 * (i % 2)}" for i in range(50)))
    assert predictions.read(evidence(path, MAPPING), threshold=0.5).rows == 50
