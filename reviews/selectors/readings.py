"""Which gate outcomes a reviewer has to read and write about."""

from __future__ import annotations

from collections.abc import Mapping

from gates.models import GateOutcome
from governance.domain.vocabulary import Role, Verdict

NOT_GREEN = frozenset({Verdict.WARN, Verdict.FAIL, Verdict.NOT_ASSESSED})
READS_ALL = frozenset({Role.PLATFORM_ENGINEER, Role.ANALYST, Role.RISK_OFFICER})


def needs_reading(outcome: GateOutcome, role: Role, read_by: Mapping[str, str]) -> bool:
    """Whether somebody approving as `role` has to write what they make of this outcome.

    Engineer, analyst and risk officer read every gate that is not green; a consulted function reads those of its own element.
    `read_by`: gate code -> the role that may judge it.
    """
    return outcome.verdict in NOT_GREEN and (role in READS_ALL or read_by.get(outcome.code) == role)
