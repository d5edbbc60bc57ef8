"""The JSON Schema of a pack, for editors: completion and red lines while typing. Whether a pack can be used `load_pack` says."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from governance.policy.conditions import OPERATORS
from governance.policy.pack import PackDocument

_CONDITION: dict[str, Any] = {
    "description": "A fact with one operator, or all, any, not of conditions.",
    "anyOf": [
        {
            "type": "object",
            "required": ["fact"],
            "additionalProperties": False,
            "properties": {
                "fact": {"type": "string"},
                "at_least": {"enum": ["file", "registry", "measured"]},
                **{name: {} for name in sorted(OPERATORS)},
            },
        },
        *(
            {
                "type": "object",
                "required": [word],
                "additionalProperties": False,
                "properties": {word: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Condition"}}},
            }
            for word in ("all", "any")
        ),
        {
            "type": "object",
            "required": ["not"],
            "additionalProperties": False,
            "properties": {"not": {"$ref": "#/$defs/Condition"}},
        },
    ],
}


class _Schema(GenerateJsonSchema):
    """What is read by functions of ours is text in the file, but for conditions."""

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        function = schema["function"]["function"]
        if getattr(function, "__name__", "") == "parse_condition":
            return {"x-condition": True}
        return {"type": "string"}


def pack_schema() -> dict[str, Any]:
    """The schema as it is committed."""
    found: dict[str, Any] = _linked(PackDocument.model_json_schema(schema_generator=_Schema, mode="validation"))
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "Guiderail policy pack"
    found.setdefault("$defs", {})["Condition"] = _CONDITION
    return found


def _linked(part: Any) -> Any:
    """The schema with every condition named by reference: conditions hold conditions."""
    if isinstance(part, dict):
        if "x-condition" in part:
            rest = {key: value for key, value in part.items() if key in ("description", "default")}
            return {**rest, "$ref": "#/$defs/Condition"}
        return {key: _linked(value) for key, value in part.items()}
    return [_linked(item) for item in part] if isinstance(part, list) else part
