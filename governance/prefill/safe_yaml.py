"""YAML from strangers, by PyYAML's C parser, without building any object.

Aliases are refused (a few lines with them expand to gigabytes), tags that name classes are refused, and depth and size are
limited on
the stream of events before a tree exists.
"""

from __future__ import annotations

from typing import Any

import yaml

from governance.prefill.cleaning import Refused, TooMuch, clean
from governance.prefill.limits import MAX_DEPTH, MAX_NODES
from governance.prefill.source import Problem, Source

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_PLAIN = yaml.constructor.SafeConstructor()
_LONGEST_NUMBER = 400


def parse_yaml(words: str, source: Source, *, first_line: int = 1) -> tuple[Any, list[Problem], bool]:
    """Return (plain value, problems, whether it could be parsed at all).

    `first_line` is the line of the file on which `words` begins, for messages about front matter.
    """
    try:
        _check_events(words)
        node = yaml.compose(words, Loader=_LOADER)
        value, problems = clean(_plain(node) if node is not None else None, source)
    except TooMuch as exc:
        return None, [source.problem("", f"This YAML {exc}. Write plain values and send the file as its tool wrote it.")], False
    except yaml.YAMLError as exc:
        return None, [_syntax_problem(exc, source, first_line)], False
    return value, problems, True


def _check_events(words: str) -> None:
    depth = documents = 0
    for nodes, event in enumerate(yaml.parse(words, Loader=_LOADER)):
        if isinstance(event, yaml.AliasEvent):
            raise TooMuch(f"uses an alias (*{event.anchor}), which is not read")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > MAX_DEPTH:
            raise TooMuch(f"nests deeper than {MAX_DEPTH} levels")
        if nodes > 2 * MAX_NODES:
            raise TooMuch(f"holds more than {MAX_NODES:,} values")
        if documents > 1:
            raise TooMuch("holds more than one document (a second ---)")


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "(a name that is not text)"
            if key in found:
                found[key] = Refused("is given more than once, so neither is used. Keep one")
            else:
                found[key] = _plain(value_node)
        return found if _is_standard(node.tag, "map") else _refused_tag(node.tag)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value] if _is_standard(node.tag, "seq") else _refused_tag(node.tag)
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else _refused_tag(node.tag)


def _scalar(node: yaml.ScalarNode) -> Any:
    kind = node.tag.removeprefix(_STANDARD)
    words: str = node.value
    if kind == "str":
        return words
    if kind == "null":
        return None
    if kind in {"timestamp", "merge", "value"}:
        return words
    if kind not in {"bool", "int", "float"} or not node.tag.startswith(_STANDARD):
        return _refused_tag(node.tag)
    if len(words) > _LONGEST_NUMBER:
        return Refused(f"is a number of {len(words):,} characters. Write it as text")
    try:
        if kind == "bool":
            return bool(_PLAIN.construct_yaml_bool(node))
        return _PLAIN.construct_yaml_int(node) if kind == "int" else _PLAIN.construct_yaml_float(node)
    except (ValueError, KeyError, IndexError, OverflowError):
        return Refused(f"is marked as {kind} but cannot be read as one. Write it plainly")


def _is_standard(tag: str, kind: str) -> bool:
    return tag == _STANDARD + kind


def _refused_tag(tag: str) -> Refused:
    return Refused(f"carries the tag {tag[:80]}, and nothing is built from tags here. Write a plain value")


def _syntax_problem(exc: yaml.YAMLError, source: Source, first_line: int) -> Problem:
    mark = getattr(exc, "problem_mark", None)
    what = getattr(exc, "problem", None) or str(exc).splitlines()[0]
    if mark is None:
        return source.problem("", f"This is not valid YAML: {what}. Mend it, or export the file again.")
    line, column = mark.line + first_line, mark.column + 1
    return source.problem(
        f"line {line}, column {column}",
        f"This is not valid YAML: {what}. Mend line {line}, column {column}, or export the file again.",
    )
