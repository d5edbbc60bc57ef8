"""YAML read strictly: no aliases (no bombs), no key twice, nothing but plain values, size and depth capped."""

from __future__ import annotations

from typing import Any

import yaml

from governance.policy.errors import refuse_pack

MOST_LETTERS = 400_000
DEEPEST = 24


class _Loader(yaml.CSafeLoader):
    """The safe loader, refusing a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(problem="a key has to be a plain word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"“{key.value[:60]}” stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: str, what: str) -> Any:
    """Return the plain value of a YAML text. `what` names it in messages. Raises `PackError`."""
    if not isinstance(text, str):
        raise refuse_pack("", f"{what} is not text.", "Give the YAML as a string.")
    if len(text) > MOST_LETTERS:
        raise refuse_pack("", f"{what} has {len(text):,} letters; at most {MOST_LETTERS:,} are read.", "Split it.")
    try:
        _refuse_bombs(text, what)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise refuse_pack("", f"{what} is not YAML as it is read here: {exc.problem}{where}.", "Correct that line.") from None
    except (yaml.YAMLError, ValueError) as exc:
        raise refuse_pack("", f"{what} is not YAML: {str(exc)[:200]}.", "Correct it.") from None


def _refuse_bombs(text: str, what: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise refuse_pack("", f"{what} uses an anchor or alias (line {line}).", "Write the value out where it is used.")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise refuse_pack("", f"{what} is nested more than {DEEPEST} deep.", "Flatten it.")
    if documents != 1:
        raise refuse_pack("", f"{what} holds {documents} YAML documents.", "Give exactly one.")
