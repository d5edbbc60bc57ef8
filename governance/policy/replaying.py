"""A stored decision evaluated again. The same pack and facts give the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from governance.domain import canonical
from governance.domain.facts import FactSet
from governance.policy.assessment import Assessment
from governance.policy.envelopes import Envelope
from governance.policy.evaluating import Pack, evaluate


def replay(
    pack: Pack,
    facts_json: Iterable[Mapping[str, Any]],
    pending: Collection[str] = frozenset(),
    envelope: Mapping[str, Any] | None = None,
) -> Assessment:
    """Evaluate facts as they were stored (`FactSet.to_json`), under the envelope whose terms were stored with them."""
    terms = Envelope.from_json(envelope) if envelope is not None else None
    return evaluate(pack, FactSet.from_json(facts_json), pending=frozenset(pending), envelope=terms)


def same_decision(stored: Mapping[str, Any], assessment: Assessment) -> bool:
    """Whether a stored `Assessment.to_json` and a new evaluation are equal byte for byte."""
    return canonical.canonical_json(stored) == canonical.canonical_json(assessment.to_json())
