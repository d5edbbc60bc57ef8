"""The `guiderail` convention: any question may be answered by its dotted name where the model's own metadata is kept.

As a mapping, in MLmodel `metadata:`, in a card's front matter or in a metrics file: `guiderail: {decision.domain: credit}`
(nested mappings work too: `guiderail: {decision: {domain: credit}}`). As tags of a run, logged model or model version:
`guiderail.decision.domain = credit`; a tag's text is read as JSON where it looks like JSON, true, false or a number.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance
from governance.prefill.cleaning import TooMuch, clean
from governance.prefill.fact_types import FACT_TYPES, SetBy, ValueKind, check_value
from governance.prefill.limits import MAX_STATED
from governance.prefill.source import Problem, Source, child, mapping

KEY = "guiderail"
PREFIX = "guiderail."
_MAPPINGS = {ValueKind.MAPPING, ValueKind.NUMBERS}


def stated(block: Any, source: Source, path: str) -> Iterator[Fact | Problem]:
    """Facts of a `guiderail:` mapping found at `path`; nothing when there is none (`block` None)."""
    if block is None:
        return
    if not isinstance(block, dict):
        yield source.problem(
            path, "guiderail: has to be a mapping of question names to answers, such as {decision.domain: credit}."
        )
        return
    rows = list(islice(_stated(block, source, path, ""), MAX_STATED + 1))
    yield from rows[:MAX_STATED]
    if len(rows) > MAX_STATED:
        yield _too_many(source, path)


def _too_many(source: Source, path: str) -> Problem:
    return source.problem(path, f"Only the first {MAX_STATED} statements here are read; there are not more questions than that.")


def _stated(block: Mapping[str, Any], source: Source, path: str, prefix: str) -> Iterator[Fact | Problem]:
    for key, value in block.items():
        name, place = prefix + key, child(path, key)
        if isinstance(value, dict) and name not in FACT_TYPES:
            yield from _stated(value, source, place, name + ".")
        else:
            yield statement(name, value, source, place)


def stated_in_tags(tags: Mapping[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    """Facts of tags named `guiderail.<question>`; other tags are left alone."""
    if KEY in tags:
        yield from stated(_from_tag(tags[KEY], "", source), source, child(path, KEY))
    named = [key for key in tags if key.startswith(PREFIX)]
    for key in named[:MAX_STATED]:
        name = key.removeprefix(PREFIX)
        yield statement(name, _from_tag(tags[key], name, source), source, child(path, key))
    if len(named) > MAX_STATED:
        yield _too_many(source, path)


def statement(name: str, value: Any, source: Source, place: str) -> Fact | Problem:
    """The fact `name` = `value` as written at `place`, or the problem with it."""
    expected = FACT_TYPES.get(name)
    if expected is None:
        close = difflib.get_close_matches(name, FACT_TYPES, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return source.problem(
            place, f'"{name[:80]}" is not a question or fact that is known here.{hint} The names are listed in docs/readers.md.'
        )
    if expected.set_by is SetBy.PLATFORM:
        return source.problem(place, f"{name} is worked out by the platform; a file cannot state it. Remove it.")
    if value is None:
        return source.fact(name, None, place)
    result, wrong = check_value(name, value)
    if wrong:
        return source.problem(place, f"{wrong} It is left out; mend it here or answer the question in the form.")
    typed = expected.set_by is SetBy.COMPARISON
    return source.fact(name, result, place, assurance=Assurance.DECLARED if typed else Assurance.FILE)


def _from_tag(value: Any, name: str, source: Source) -> Any:
    """A tag's text as the value it stands for; text questions keep their text."""
    if not isinstance(value, str):
        return value
    words = value.strip()
    expected = FACT_TYPES.get(name)
    if expected is not None and expected.kind in {ValueKind.TEXT, ValueKind.CHOICE, ValueKind.DATE, ValueKind.MOMENT}:
        return words
    looks_like_json = words[:1] in {"[", "{", '"', "-"} or words[:1].isdigit() or words.lower() in {"true", "false", "null"}
    if not looks_like_json:
        return _list_of(words) if expected is not None and expected.kind is ValueKind.LIST else words
    try:
        found, problems = clean(json.loads(words.lower() if words.lower() in {"true", "false", "null"} else words), source)
    except (ValueError, RecursionError, TooMuch):
        return words
    return words if problems else found


def _list_of(words: str) -> list[str]:
    return [part.strip() for part in words.split(",") if part.strip()]


def block_of(data: Any) -> Any:
    """The `guiderail:` mapping of a mapping, also when written as `guiderail.<question>` keys beside others."""
    found = mapping(data)
    flat = {key.removeprefix(PREFIX): value for key, value in found.items() if key.startswith(PREFIX)}
    block = found.get(KEY)
    if not flat:
        return block
    return {**flat, **block} if isinstance(block, dict) else flat
