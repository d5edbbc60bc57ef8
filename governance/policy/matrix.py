"""The decision matrix of a pack: which problem belongs to whom, and when and to whom it escalates. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from governance.domain.vocabulary import Severity
from governance.policy.steps import Routing

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
ANYTHING = "*"


def route(matrix: Iterable[Routing], about: str, severity: Severity) -> Routing | None:
    """The row that answers for a problem: the one whose `about` names it most exactly, and whose threshold it reaches.

    `about`: a gate, a rule or a fact, as findings name it. None where the pack has no row for it.
    """
    best: tuple[int, Routing] | None = None
    for row in matrix:
        if _RANK[severity] < _RANK[row.from_severity]:
            continue
        named = [prefix for prefix in row.about if prefix != ANYTHING and about.startswith(prefix)]
        fits = [len(prefix) for prefix in named] or ([0] if ANYTHING in row.about else [])
        if fits and (best is None or max(fits) > best[0]):
            best = (max(fits), row)
    return best[1] if best is not None else None
