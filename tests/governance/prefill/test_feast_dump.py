"""What `feast registry-dump` of Feast 0.67 really prints: views with features, and the files and tables they are made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from governance.prefill.source_dumps import entries_of

DUMP = Path(__file__).parents[2] / "data" / "registers" / "feast-0.67.0.registry-dump.json"


def test_a_real_dump() -> None:
    kind, found = entries_of("registry.json", DUMP.read_bytes())
    assert kind == "feast"
    assert {entry.name: entry.values for entry in found} == {
        "feast://lending/bureau": {
            "is_feature_store": True, "features": ["score", "open_loans"], "owner": "feature-platform",
            "refreshed_on": "2026-11-20",
        },
        "feast://lending/ratios": {"is_feature_store": True, "features": ["loans_to_income"], "owner": "risk-ml"},
        "s3://lake/credit/bureau.parquet": {"owner": "feature-platform"},
    }  # fmt: skip


def test_an_edited_definition_is_no_refreshed_data() -> None:
    dump = json.loads(DUMP.read_text())
    for view in dump["featureViews"]:
        del view["meta"]["materializationIntervals"]
    _, found = entries_of("registry.json", json.dumps(dump).encode())
    assert not [entry for entry in found if "refreshed_on" in entry.values]


def test_sources_by_table_and_without_an_address() -> None:
    sources: list[Any] = [
        {"name": "a", "owner": "credit-data", "snowflakeOptions": {"database": "LAKE", "schema": "PUBLIC", "table": "LOANS"}},
        {"name": "b", "bigqueryOptions": {"table": "lake.credit.loans"}},
        {"name": "c", "fileOptions": {"uri": "data/here.parquet"}},
        {"name": "d", "requestDataOptions": {"schema": []}},
        {"name": "e", "snowflakeOptions": {"database": "LAKE", "query": "select 1"}},
        3,
    ]
    views = [{"spec": {"name": "v", "features": []}}]
    _, found = entries_of("registry.json", json.dumps({"featureViews": views, "dataSources": sources}).encode())
    assert [(entry.name, entry.values.get("owner")) for entry in found[1:]] == [
        ("LAKE.PUBLIC.LOANS", "credit-data"),
        ("lake.credit.loans", ""),
    ]
