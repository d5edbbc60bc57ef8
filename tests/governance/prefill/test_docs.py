"""docs/readers.md lists every reader with what it fills, and its examples are read as it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from governance.prefill.fact_types import FACT_TYPES
from governance.prefill.readers import all_readers
from governance.prefill.reading import Reading
from tests.governance.prefill.conftest import METADATA
from tests.governance.prefill.looking import errors, values

DOCS = Path(__file__).parents[3] / "docs" / "readers.md"
Read = Callable[..., Reading]


def test_every_reader_is_listed_with_what_it_fills() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]+)\|$", DOCS.read_text(), re.MULTILINE))
    assert set(rows) == {reader.NAME for reader in all_readers()}
    for reader in all_readers():
        assert re.findall(r"`([\w.]+)`", rows[reader.NAME]) == list(reader.FILLS), reader.NAME
        assert set(reader.FILLS) <= set(FACT_TYPES)


def test_readers_fill_nothing_else(sample: Callable[[str], Reading]) -> None:
    fills = {reader.NAME: set(reader.FILLS) for reader in all_readers()}
    read = {sample(path.name).reader: {fact.name for fact in sample(path.name).facts} for path in METADATA.iterdir()}
    assert len(read) >= 17
    for name, names in read.items():
        assert name is None or names <= fills[name]


def _example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_examples_are_read(read: Read) -> None:
    mlmodel = read("MLmodel", "flavors:\n  sklearn: {}\n" + _example("yaml"))
    assert errors(mlmodel) == []
    assert values(mlmodel)["impact.people_per_month"] == 12000
    assert values(mlmodel)["monitoring.plan"] == [{"kind": "data_drift", "limit": 0.2, "owner": "risk-ml", "stops": True}]
    metrics = read("metrics.json", _example("json"))
    assert metrics.problems == ()
    assert values(metrics)["performance.candidate"] == 0.91
    tags = dict(re.findall(r'set_tag\("([^"]+)", "([^"]+)"\)', _example("python")))
    run = read("run.json", {"info": {"run_id": "r"}, "data": {"tags": tags}})
    assert errors(run) == []
    assert values(run)["data.sources"] == ["s3://lake/credit/", "acme/bureau"]
