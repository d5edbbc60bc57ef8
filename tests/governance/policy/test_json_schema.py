"""The schema for editors is committed as the code says it, and names every part of a pack."""

from __future__ import annotations

import json

from governance.policy.json_schema import pack_schema
from governance.policy.pack import PackDocument
from governance.policy.rules import Rule
from tests.stack import ROOT


def test_the_committed_schema_is_the_one_of_the_code() -> None:
    """Run `manage.py policy schema` when it is not."""
    assert json.loads((ROOT / "docs" / "pack.schema.json").read_text(encoding="utf-8")) == pack_schema()


def test_it_knows_every_word_and_conditions_within_conditions() -> None:
    schema = pack_schema()
    assert set(schema["properties"]) == set(PackDocument.model_fields)
    assert set(schema["$defs"]["Rule"]["properties"]) == set(Rule.model_fields)
    joined = schema["$defs"]["Condition"]["anyOf"][1]["properties"]["all"]["items"]
    assert joined == {"$ref": "#/$defs/Condition"} and "x-condition" not in json.dumps(schema)
