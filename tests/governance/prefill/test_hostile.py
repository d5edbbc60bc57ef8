"""Malformed, huge and hostile files: a clear problem, no exception, no code run, nothing else lost."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from governance.prefill.limits import MAX_BYTES, MAX_NODES, MAX_PROBLEMS
from governance.prefill.reading import Reading, read_source
from tests.governance.prefill.looking import errors, values

Read = Callable[..., Reading]
MLMODEL = "flavors:\n  sklearn:\n    sklearn_version: 1.9.1\n    serialization_format: skops\nrun_id: abc\n"


class _Runs:
    """Unpickling this would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("MLmodel", MLMODEL)
    return buffer.getvalue()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_refused_by_content_and_never_opened(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "ran"
    reading = read_source("metrics.json", pickle.dumps(_Runs(mark), protocol=protocol))
    assert reading.facts == ()
    assert not mark.exists()
    if protocol >= 2:
        assert errors(reading)[0].startswith(": This is a pickle")
        assert "ONNX" in errors(reading)[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pickle.dumps({"auc": 0.9}), "a pickle"),
        (pickle.dumps([1.5] * 3, protocol=2), "a pickle"),
        (b"cos\nsystem\n(S'echo'\ntR.", "a pickle"),
        (_zip(), "a zip archive"),
        (b"PK\x05\x06" + b"\0" * 18, "an empty zip archive"),
        (gzip.compress(MLMODEL.encode(), mtime=0), "a gzip file"),
        (b"PAR1\x15\x04\x15" + b"\0" * 20 + b"PAR1", "a Parquet file"),
        (b"ARROW1\0\0", "an Arrow file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"run_id: a\x00b\n", "byte 9 is NUL"),
        ("run_id: é".encode("latin-1"), "not UTF-8: byte 8 (0xe9)"),
        (MLMODEL.encode("utf-16"), "UTF-16"),
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf \r\n", "The file is empty"),
        (b"a: " + b"x" * MAX_BYTES, "metadata may have 2,000,000"),
    ],
)
def test_what_is_not_metadata_text_is_named_with_the_way_out(data: bytes, says: str) -> None:
    for name in ("MLmodel", "metrics.json", "README.md"):
        reading = read_source(name, data)
        assert (reading.reader, reading.facts) == (None, ())
        assert len(reading.problems) == 1
        assert says in errors(reading)[0]


def test_a_byte_order_mark_is_read_over() -> None:
    assert values(read_source("MLmodel", b"\xef\xbb\xbf" + MLMODEL.encode()))["training.run_id"] == "abc"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (BOMB + MLMODEL, "uses an alias (*a), which is not read"),
        ("flavors: &f\n  self: *f\n", "uses an alias"),
        ("a: " + "[" * 10_000, "nests deeper than 64 levels"),
        ("a: " + "{b: " * 3_000, "nests deeper than 64 levels"),
        ("\n".join("  " * i + "k:" for i in range(100)), "nests deeper than 64 levels"),
        ("- a\n" * (2 * MAX_NODES), f"holds more than {MAX_NODES:,} values"),
        ("a: [" + "1," * (MAX_NODES + 1) + "1]", f"holds more than {MAX_NODES:,} values"),
        ("a: 1\n---\nb: 2\n", "more than one document"),
        ("flavors: {sklearn: [}\n", "not valid YAML"),
        ("a: b: c\n", "line 1, column 5"),
        ("%YAML 9.9\n---\na: 1\n", "not valid YAML"),
        ("a: \x07bell\n", "not valid YAML"),
    ],
)
def test_yaml_that_cannot_be_read(words: str, says: str) -> None:
    started = time.monotonic()
    reading = read_source("MLmodel", words.encode())
    assert time.monotonic() - started < 30
    assert reading.facts == ()
    assert says in errors(reading)[0]


def test_tags_build_nothing_and_lose_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    words = (
        MLMODEL
        + f"metadata:\n  owner: risk-ml\n  intended_use: !!python/object/apply:os.system ['touch {mark}']\n"
        + "  limitations: !!python/name:os.system\n  team: !custom {a: 1}\n  task: !x scoring\nmodel_size_bytes: 7\n"
    )
    reading = read_source("MLmodel", words.encode())
    assert not mark.exists()
    assert len(errors(reading)) == 4
    assert all("carries the tag" in words for words in errors(reading))
    assert errors(reading)[0].startswith("metadata.intended_use: ")
    found = values(reading)
    assert (found["system.owner"], found["training.run_id"], found["model.size_bytes"]) == ("risk-ml", "abc", 7)
    assert "model.intended_use" not in found


def test_a_name_said_twice_is_not_used() -> None:
    reading = read_source("MLmodel", (MLMODEL + "run_id: other\nmodel_size_bytes: 7\n").encode())
    assert errors(reading) == [
        "run_id: This value is given more than once, so neither is used. Keep one. It is left out; the rest of the file is read."
    ]
    assert "training.run_id" not in values(reading)
    assert values(reading)["model.size_bytes"] == 7


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (".nan", "is nan where a number was expected"),
        (".inf", "is inf where a number was expected"),
        ("9" * 30, "beyond 9,007,199,254,740,991"),
        ("9" * 5_000, "is a number of 5,000 characters"),
        ("!!int x", "is marked as int"),
        ("!!bool maybe", "is marked as bool"),
        ('"\\0"', "contains a NUL"),
        ("x" * 200_000, "is a text of 200,000 characters"),
        ("!!binary aGVsbG8=", "carries the tag"),
    ],
)
def test_yaml_values_the_record_cannot_hold(value: str, says: str) -> None:
    reading = read_source("MLmodel", (MLMODEL + f"model_size_bytes: {value}\n").encode())
    assert len(errors(reading)) == 1
    assert errors(reading)[0].startswith("model_size_bytes: This value ")
    assert says in errors(reading)[0]
    assert values(reading)["training.run_id"] == "abc"


def test_yaml_in_all_its_plain_kinds() -> None:
    words = (
        MLMODEL + "metadata:\n  guiderail:\n    decision.automated: yes\n    data.snapshot_date: 2026-11-01\n"
        "    impact.people_per_month: 1_000\n"
    )
    words += "    model.decision_threshold: 4.5e-1\n    system.owner: ~\n    data.sources: [=, <<]\n"
    found = values(read_source("MLmodel", words.encode()))
    assert found["decision.automated"] is True
    assert found["data.snapshot_date"] == "2026-11-01"
    assert found["impact.people_per_month"] == 1000
    assert found["model.decision_threshold"] == 0.45
    assert found["system.owner"] is None
    assert found["data.sources"] == ["=", "<<"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("[" * 10_000, "nests deeper than 64 levels"),
        ("[[", "not valid JSON"),
        ("[" * 10_000 + "]" * 10_000, "nests deeper than 64 levels"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nests deeper than 64 levels"),
        ('{"a":' * 70 + "1" + "}" * 70, "nests deeper than 64 levels"),
        ("[" + "1," * (MAX_NODES + 1) + "1]", f"holds more than {MAX_NODES:,} values"),
        ('{"auc": 0.9,}', "line 1, column 13"),
        ('{"auc": 0.9', "not valid JSON"),
        ('{"auc": 0.9} {"auc": 0.8}', "Extra data"),
    ],
)
def test_json_that_cannot_be_read(words: str, says: str) -> None:
    started = time.monotonic()
    reading = read_source("metrics.json", words.encode())
    assert time.monotonic() - started < 30
    assert (reading.reader, reading.facts) == (None, ())
    assert says in errors(reading)[0]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("NaN", "is nan"),
        ("Infinity", "is inf"),
        ("-Infinity", "is -inf"),
        ("1e999", "is inf"),
        ("9" * 19, "beyond 9,007"),
        ("9" * 6_000, "is a whole number of 6,000 digits"),
        ('"\\ud800"', "half a surrogate pair"),
        ('"\\u0000"', "contains a NUL"),
        ('"NaN"', "has to be a finite number"),
        ('"high"', "has to be a finite number"),
        ("91", "between 0 and 1"),
        ("null", "has to be a finite number"),
        ("true", "has to be a finite number"),
        ("[0.9]", "has to be a finite number"),
    ],
)
def test_one_bad_metric_loses_only_itself(value: str, says: str) -> None:
    reading = read_source("metrics.json", f'{{"metrics": {{"auc": {value}, "accuracy": 0.8}}}}'.encode())
    assert len(errors(reading)) == 1
    assert errors(reading)[0].startswith("metrics.auc: ")
    assert says in errors(reading)[0]
    assert values(reading) == {
        "performance.metrics": {"accuracy": 0.8},
        "performance.metric": "accuracy",
        "performance.candidate": 0.8,
    }


def test_a_metric_said_twice_is_not_used() -> None:
    reading = read_source("metrics.json", b'{"metrics": {"auc": 0.9, "auc": 0.99, "f1": 0.5, "f1": 0.5}}')
    assert values(reading)["performance.metrics"] == {"f1": 0.5}
    assert errors(reading)[0].startswith("metrics.auc: This value is given more than once with different content")


def test_names_the_record_cannot_hold(read: Read) -> None:
    reading = read("metrics.json", {"metrics": {"k" * 2_000: 1, "a\x00b": 2, "auc": 0.9}})
    assert values(reading)["performance.candidate"] == 0.9
    assert [words.split(" It is")[0] for words in errors(reading)] == [
        "metrics: A name here is 2,000 characters long; 1,000 are the most.",
        "metrics: A name here contains a NUL character. Remove it.",
    ]


def test_problems_are_counted_but_not_endless(read: Read) -> None:
    reading = read("metrics.json", {"metrics": {"auc": 0.9, **{f"m{i}": "x" for i in range(500)}}})
    assert len(reading.problems) == MAX_PROBLEMS + 1
    assert "400 more problems" in errors(reading)[-1]
    assert values(reading)["performance.candidate"] == 0.9


def test_broken_front_matter_leaves_the_text(read: Read) -> None:
    body = "\n# Model\n\n## Intended use\n\nCredit limits.\n"
    broken = read("README.md", "---\nlicense: mit\ntags: [a\n---" + body)
    assert values(broken) == {"model.intended_use": "Credit limits."}
    assert errors(broken)[0].startswith("line ")
    never_closed = read("README.md", "---\nlicense: mit\n" + body)
    assert values(never_closed) == {"model.intended_use": "Credit limits."}
    assert errors(never_closed) == ["line 1: The front matter opens with --- but is never closed. Add a line with --- after it."]
    bomb = read("README.md", "---\n" + BOMB + "---" + body)
    assert values(bomb) == {"model.intended_use": "Credit limits."}
    assert "uses an alias" in errors(bomb)[0]


def test_the_line_named_is_the_line_of_the_file(read: Read) -> None:
    reading = read("README.md", "\n---\nlicense: mit\na: b: c\n---\n")
    assert errors(reading)[0].startswith("line 4, column 5: ")


def test_a_reader_that_trips_keeps_what_it_read(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def trips(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("governance.prefill.readers.mlflow_mlmodel.stated", trips)
    reading = read("MLmodel", MLMODEL)
    assert values(reading)["training.run_id"] == "abc"
    assert "could not go on in this file (ZeroDivisionError)" in errors(reading)[0]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "(no name)"),
        ("/", "/"),
        ("a" * 5_000, "a" * 255),
        ("..\\..\\MLmodel", "..\\..\\MLmodel"),
        ("x\x00\ud800\n.pkl", "x\ufffd\ufffd\ufffd.pkl"),
    ],
)
def test_strange_names_do_not_matter(name: str, shown: str) -> None:
    reading = read_source(name, MLMODEL.encode())
    assert values(reading)["training.run_id"] == "abc"
    assert {found.origin for found in reading.facts} == {shown}


def test_text_that_only_looks_like_a_pickle_is_text(read: Read) -> None:
    words = base64.b64encode(pickle.dumps({"a": 1})).decode()
    assert "is not recognised" in errors(read("notes.txt", words))[0]
    assert "is not recognised" in errors(read("values.json", json.dumps([1, 2])))[0]
