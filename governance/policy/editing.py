"""Changing a pack's text in one place and leaving the rest, comments included, as people wrote it.

A form changes a limit; nobody has to write YAML for it. Everything here takes text and gives text: whether it can be used is for
`load_pack` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from governance.policy.bands import Band, parse_band
from governance.policy.errors import refuse_pack
from governance.policy.rules import Rule

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def line_of(text: str, path: str) -> int | None:
    """The line (from 1) of a YAML path such as `rules[3].bands.yellow`, or of the nearest part of it that exists.

    Dots in keys (fact names) are tried as well. None for a text that is not YAML.
    """
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    if node is None:
        return None
    line = node.start_mark.line + 1
    rest = path
    while rest:
        found = _child(node, rest)
        if found is None:
            break
        node, line, rest = found
    return line


def _child(node: yaml.Node, path: str) -> tuple[yaml.Node, int, str] | None:
    path = path.removeprefix(".")
    if isinstance(node, yaml.SequenceNode):
        index = re.match(r"\[(\d+)\]", path)
        if index is None or int(index[1]) >= len(node.value):
            return None
        child = node.value[int(index[1])]
        return child, child.start_mark.line + 1, path[index.end() :]
    if isinstance(node, yaml.MappingNode):
        # the longest key that fits: fact names hold dots
        rows = sorted(node.value, key=lambda row: -len(str(row[0].value)))
        for key, child in rows:
            name = str(key.value)
            if path == name or path.startswith((f"{name}.", f"{name}[")):
                return child, key.start_mark.line + 1, path[len(name) :]
    return None


def with_version(text: str, version: str) -> str:
    """The text with another version number."""
    return _replaced(text, _value(_root(text), "version", "The pack"), version)


def with_bands(text: str, rule_id: str, yellow: str | None, red: str | None) -> str:
    """The text with other limits of one rule, such as `>= 0.04`. None leaves a limit as it is.

    Raises `PackError` for a rule that has no such limit, and for a limit that is none.
    """
    for colour, given in (("yellow", yellow), ("red", red)):
        if given is None:
            continue
        try:
            band = parse_band(given)
        except ValueError as exc:
            raise refuse_pack(colour, str(exc), "") from None
        bands = _value(_rule(text, rule_id), "bands", rule_id)
        text = _replaced(text, _value(bands, colour, f"{rule_id} (bands)"), f'"{written(band)}"')
    return text


def with_example(text: str, rule_id: str, name: str, facts: Mapping[str, Any], gives: str) -> str:
    """The text with one more example of a rule."""
    examples = _value(_rule(text, rule_id), "examples", rule_id)
    row = yaml.safe_dump(
        {"name": name, "facts": dict(facts), "gives": gives},
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )
    if not isinstance(examples, yaml.SequenceNode) or not examples.value or examples.flow_style:
        raise refuse_pack("examples", f"{rule_id}: the examples are not a list, one a line.", "Write them so, then try again.")
    last = examples.value[-1]
    indent = " " * max(last.start_mark.column - 2, 0)
    end = _line_end(text, last.end_mark.index)
    return f"{text[:end]}\n{indent}- {row.strip()}{text[end:]}"


def with_outcome(text: str, rule_id: str, number: int, gives: str) -> str:
    """The text with another expected result of the rule's example `number` (from 0)."""
    examples = _value(_rule(text, rule_id), "examples", rule_id)
    return _replaced(text, _value(examples.value[number], "gives", f"{rule_id}, example {number + 1}"), gives)


def written(band: Band) -> str:
    """A limit as the pack writes it, without a sign of how computers keep numbers."""
    return f"{band.sign} {band.limit:.15g}"


def rule_ids(text: str) -> Iterator[str]:
    """Ids of the rules in a text, in order."""
    rules = _value(_root(text), "rules", "The pack")
    for node in rules.value if isinstance(rules, yaml.SequenceNode) else ():
        yield str(_value(node, "id", "A rule").value)


def _root(text: str) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise refuse_pack("", f"The pack is not YAML (line {line}: {exc.problem}).", "Correct that line first.") from None
    if not isinstance(node, yaml.MappingNode):
        raise refuse_pack("", "The policy pack is not a mapping.", "Start with “pack: …”, “kind: …”, “version: …”.")
    return node


def _rule(text: str, rule_id: str) -> yaml.Node:
    rules = _value(_root(text), "rules", "The pack")
    for node in rules.value if isinstance(rules, yaml.SequenceNode) else ():
        if _value(node, "id", "A rule").value == rule_id:
            found: yaml.Node = node
            return found
    raise refuse_pack("rules", f"There is no rule {rule_id} in this draft.", "Choose one that is there.")


def _value(node: yaml.Node, name: str, what: str) -> yaml.Node:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == name:
            found: yaml.Node = value
            return found
    raise refuse_pack(name, f"{what} has no “{name}”.", "Add it in the text.")


def _replaced(text: str, node: yaml.Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def _line_end(text: str, index: int) -> int:
    found = text.find("\n", index - 1 if text[index - 1 : index] == "\n" else index)
    return len(text) if found < 0 else found


def beside(rule: Rule, band: Band) -> tuple[float, float]:
    """Two numbers that show a limit: one that reaches it and the nearest round one that does not."""
    step = 0.0001 if rule.unit == "percent" else max(abs(band.limit) / 100, 0.0001)
    inside = band.limit if band.sign in (">=", "<=") else band.limit + (step if band.upward else -step)
    outside = band.limit - step if band.sign == ">=" else band.limit + step if band.sign == "<=" else band.limit
    return round(inside, 10), round(outside, 10)
