"""Features that are raw direct identifiers: by their values, by their declared class, by their names.

What the values show counts before what was declared, and what was declared before what a name suggests. A date of birth or a
place is no *direct* identifier: it narrows down, and is judged where personal data is declared and approved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gates.collecting import Inputs
from gates.metrics.personal_data_found_impl import Found
from gates.spec import Measure
from governance.prefill.column_names import identifying_columns

INDIRECT = frozenset({"date of birth", "precise location"})
_HASHED = re.compile(r"hash|token|pseudonym|encrypt|hmac|sha\d|digest", re.IGNORECASE)
_RAW = re.compile(
    r"^(raw|pii|personal( data)?|identifier|direct[ _-]?identifier|direct|e?-?mail.*|phone.*|name|full name|address|ssn|"
    r"national[ _-]?id.*|passport.*|iban|card.*|account.*|customer[ _-]?id|user[ _-]?id)$",
    re.IGNORECASE,
)


def identifier_features(
    inputs: Inputs, found: Mapping[str, Found], hashed: set[str], cleared: set[str], with_data: bool
) -> Iterable[Measure]:
    """`personal_data.identifier_features` with the names and why, and how many features were looked at by value.

    `found`: columns with personal data before any mark; `hashed`: columns whose values look like hashes; `cleared`: columns
    that a data steward marked as hashed or wrong.
    """
    features = inputs.facts.get("model.features")
    names = [_name(item) for item in features] if isinstance(features, list | tuple) else []
    if not names:
        why = "The model's features are not known, so nobody can say whether one of them is a raw identifier."
        yield Measure("personal_data.identifier_features", None, reason=why)
        return
    classes = _classes(inputs.facts.get("model.feature_classes"), features)
    by_name = {column: kind for kind, columns in identifying_columns(names).items() for column in columns}
    raw = []
    for name in names:
        why = _why(name, found.get(name), classes.get(name, ""), by_name.get(name, ""), name in hashed)
        if why and name not in cleared:
            raw.append(f"{name} ({why})")
    yield Measure(
        "personal_data.identifier_features", float(len(raw)), n=len(names), text=", ".join(raw[:20]),
        detail={"hashed": sorted(hashed & set(names))[:50], "by_value": with_data, "declared": len(classes)},
    )  # fmt: skip


def _why(name: str, item: Found | None, declared: str, suggested: str, hashed: bool) -> str:
    """Why a feature is a raw direct identifier, or ""."""
    if hashed:
        return ""
    if item is not None and item.share is not None and item.kind not in INDIRECT:
        return f"values of the kind: {item.kind}" + (", though declared as hashed" if _HASHED.search(declared) else "")
    if declared:
        return f"declared as {declared}" if _RAW.match(declared.strip()) else ""
    if _HASHED.search(name):
        return ""
    if item is not None and item.kind not in INDIRECT:
        return f"named like {item.kind}"
    return f"named like {suggested}" if suggested and suggested not in INDIRECT else ""


def _name(item: object) -> str:
    return str(item.get("name", "")) if isinstance(item, Mapping) else str(item)


def _classes(stated: object, features: object) -> dict[str, str]:
    """Feature -> its declared class, from `model.feature_classes` or from `class`/`pii` beside the feature's name."""
    found = {str(name): str(value) for name, value in stated.items()} if isinstance(stated, Mapping) else {}
    for item in features if isinstance(features, list | tuple) else ():
        if isinstance(item, Mapping) and (said := item.get("class") or item.get("pii")):
            found.setdefault(_name(item), str(said))
    return found
