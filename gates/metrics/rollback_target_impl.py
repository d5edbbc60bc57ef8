"""The rollback target: named, known, approved, stored by digest, and fed by the features that are served."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gates.collecting import Inputs
from gates.spec import Measure

_FIRST = re.compile(
    r"^\W*(this is (the|our) )?first (version|deployment|release|model)|^\W*(no|none)\b.*\bfirst (version|deployment|release)",
    re.IGNORECASE,
)


def says_first_version(target: Any) -> bool:
    """Whether the answer is the statement that there is nothing to go back to."""
    return isinstance(target, str) and _FIRST.match(target) is not None


def nothing_before(inputs: Inputs) -> bool:
    """Whether the register knows no champion."""
    return inputs.facts.get("champion.exists") is False or inputs.facts.get("system.first_deployment") is True


def measures(inputs: Inputs) -> Iterable[Measure]:
    """Measures named `rollback.*` about the target and its schema."""
    target = inputs.facts.get("rollout.rollback_target")
    text = str(target).strip() if target is not None else ""
    if says_first_version(target):
        if nothing_before(inputs):
            yield Measure("rollback.first_version", 1.0, text="Stated: first version; the register knows none before it.")
        else:
            yield Measure(
                "rollback.target",
                0.0,
                text="The answer says first version, but there is a champion: name the version to go back to.",
            )
        return
    if not text:
        why = "No rollback target is named (rollout.rollback_target)."
        if nothing_before(inputs):
            why += " For a first version, answer “first version” and say how decisions are made if it is withdrawn."
        yield Measure("rollback.target", 0.0, text=why)
        return
    yield Measure("rollback.target", 1.0, text=text)
    versions = inputs.settings.get("known_versions")
    if not isinstance(versions, Mapping):
        yield Measure(
            "rollback.target_known",
            None,
            reason="The register of versions was not at hand, so the target could not be looked up.",
        )
        return
    entry = next(
        (item for name, item in versions.items() if str(name).strip().lower() in (text.lower(), text.lower().removeprefix("v"))),
        None,
    )
    if not isinstance(entry, Mapping):
        listed = ", ".join(map(str, list(versions)[:10])) or "none"
        yield Measure("rollback.target_known", 0.0, text=f"{text} is not a known version of this system (known: {listed}).")
        return
    yield Measure("rollback.target_known", 1.0, text=text)
    approved = entry.get("approved") is True
    yield Measure("rollback.target_approved", 1.0 if approved else 0.0, text="" if approved else f"{text} was never approved.")
    digest = str(entry.get("digest") or "")
    yield Measure(
        "rollback.target_digest", 1.0 if digest else 0.0, text=digest[:23] if digest else f"No digest of {text} is recorded."
    )
    yield from _schema(text, entry.get("features"), inputs.facts.get("model.features"))


def _schema(target: str, needed: Any, served: Any) -> Iterable[Measure]:
    needed_types, served_types = _typed(needed), _typed(served)
    if not needed_types or not served_types:
        side = target if not needed_types else "the candidate"
        yield Measure(
            "rollback.missing_features",
            None,
            reason=f"The features of {side} are not recorded, so the schemas cannot be compared.",
        )
        return
    missing = [name for name in needed_types if name not in served_types]
    extra = [name for name in served_types if name not in needed_types]
    changed = [
        f"{name} ({kind} there, {served_types[name]} here)"
        for name, kind in needed_types.items()
        if name in served_types and kind and served_types[name] and kind != served_types[name]
    ]
    yield Measure("rollback.missing_features", float(len(missing)), n=len(needed_types), text=", ".join(missing[:50]))
    yield Measure("rollback.changed_types", float(len(changed)), n=len(needed_types), text=", ".join(changed[:50]))
    yield Measure("rollback.extra_features", float(len(extra)), n=len(served_types), text=", ".join(extra[:50]))


def _typed(features: Any) -> dict[str, str]:
    """Feature names with their types where given: a list of names, a list of {name, type}, or a mapping."""
    if isinstance(features, Mapping):
        return {str(name): str(kind or "") for name, kind in features.items()}
    if not isinstance(features, list | tuple):
        return {}
    return {
        str(item.get("name")) if isinstance(item, Mapping) else str(item): str(item.get("type") or "")
        if isinstance(item, Mapping)
        else ""
        for item in features
    }
