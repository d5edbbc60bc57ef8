"""A Croissant description of a data set (JSON-LD of MLCommons), with its responsible-AI properties (`rai:`).

It says which data and which columns there are, and may say that people are in them. It never says that something is allowed,
harmless or absent: such assurances are for a person to give, so a denial is named and is no fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.convention import block_of, stated
from governance.prefill.moments import from_text
from governance.prefill.sensitive_words import sensitive_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, shown, text

NAME = "croissant"
TITLE = "Croissant data set"
FILLS = ("data.sources", "data.columns", "data.snapshot_date", "data.contains_pii", "data.protected_attributes")
ORDER = 40

_HOME = "mlcommons.org/croissant"
_PREFIXES = (
    "",
    "rai:",
    "cr:",
    "sc:",
    "schema:",
    "dct:",
    "http://mlcommons.org/croissant/RAI/",
    "http://mlcommons.org/croissant/",
)
_FOR_THE_CARD = ("dataBiases", "dataLimitations", "dataSocialImpact")
_MOST_COLUMNS = 5_000


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    if document.form is not Form.JSON or "@context" not in data:
        return False
    kinds = data.get("@type")
    is_data_set = any(text(kind).endswith("Dataset") for kind in (kinds if isinstance(kinds, list) else [kinds]))
    _, conforms, _ = _given(data, "conformsTo")
    return is_data_set and (_HOME in repr(conforms) or _HOME in repr(data["@context"]))


def _given(node: dict[str, Any], name: str) -> tuple[str, Any, bool]:
    """The key under which `node` gives a property, whatever prefix its context uses, with the value, and whether it does."""
    for prefix in _PREFIXES:
        if prefix + name in node:
            return prefix + name, node[prefix + name], True
    return name, None, False


def _rows(value: Any) -> list[Any]:
    """A value of JSON-LD as a list: one thing may stand without its brackets."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(node: dict[str, Any], name: str, source: Source) -> Iterator[tuple[str, str] | Problem]:
    """(words, place) of each text a property gives; a text may be wrapped as `{"@value": …}`."""
    key, value, _ = _given(node, name)
    for i, row in enumerate(_rows(value)):
        place = child(key, i) if isinstance(value, list) else key
        words = text(row) or text(mapping(row).get("@value"))
        if words:
            yield words, place
        elif row not in ("", None):
            yield source.problem(place, f"{name} is a text or a list of texts; found {shown(row)}. It is left out.")


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    key = next((key for key in ("url", "sc:url", "@id", "name", "sc:name") if text(data.get(key))), "")
    if key:
        yield source.fact("data.sources", [text(data[key])], key)
    else:
        yield source.problem("name", "The data set has neither url nor name. Give the one under which it is registered.")
    yield from _columns(data, source)
    yield from _snapshot(data, source)
    statements: list[tuple[str, str]] = []
    for item in _texts(data, "personalSensitiveInformation", source):
        if isinstance(item, Problem):
            yield item
        else:
            statements.append(item)
    yield from sensitive_facts(statements, source)
    yield from _for_the_card(data, source)
    yield from stated(block_of(data), source, "guiderail")


def _columns(data: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    """Names of the columns of every record set; splits and parts of a file's path are none."""
    found: dict[str, str] = {}
    key, value, _ = _given(data, "recordSet")
    for i, record_set in enumerate(map(mapping, _rows(value))):
        if any(text(kind).endswith("Split") for kind in _rows(_given(record_set, "dataType")[1])):
            continue
        fields, inner, _ = _given(record_set, "field")
        for j, each in enumerate(map(mapping, _rows(inner))):
            origin = mapping(_given(each, "source")[1])
            extract = mapping(_given(origin, "extract")[1])
            if _given(extract, "fileProperty")[2]:
                continue
            column = text(_given(extract, "column")[1]) or text(_given(each, "name")[1]) or text(each.get("@id"))
            place = child(child(child(key, i), fields), j)
            if column:
                found.setdefault(column.rsplit("/", 1)[-1] or column, place)
            else:
                yield source.problem(place, "This field has neither a name nor a column. Name it.")
    names = list(found)[:_MOST_COLUMNS]
    if names:
        yield source.fact("data.columns", names, f"{key}[].field")


def _snapshot(data: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    """The end of the time in which it was collected. The day it was published is no such day: the data may be older."""
    days: list[tuple[str, str]] = []
    for item in _texts(data, "dataCollectionTimeframe", source):
        if isinstance(item, Problem):
            yield item
            continue
        words, place = item
        # ISO 8601 writes a time span as two times with a slash.
        ends = [from_text(part.strip()) for part in words.split("/")]
        if any(end is None for end in ends):
            yield source.problem(
                place, f"dataCollectionTimeframe gives dates such as 2026-09-30; found {shown(words)}. It is left out."
            )
        days += [(end[:10], place) for end in ends if end]
    if days:
        day, place = max(days)
        yield source.fact("data.snapshot_date", day, place)


def _for_the_card(data: dict[str, Any], source: Source) -> Iterator[Problem]:
    """Biases and limits of the data are named: what they mean for the model is for its makers to say."""
    for name in _FOR_THE_CARD:
        said = [item for item in _texts(data, name, source) if not isinstance(item, Problem)]
        if said:
            words = "; ".join(words for words, _ in said)
            yield source.advice(
                said[0][1],
                f"The data set names {_words(name)} ({shown(words, 200)}). Say in the limitations what they mean for the model.",
            )


def _words(name: str) -> str:
    """`dataBiases` -> `biases`."""
    return {"dataBiases": "biases", "dataLimitations": "limitations"}.get(name, "social impacts")
