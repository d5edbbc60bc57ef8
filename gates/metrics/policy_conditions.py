"""The policy's own conditions in CEL, asked about the facts of a submission. Reads no file, and runs in the confined child
all the same: an expression is somebody's text.

Each condition arrives with the facts it reads and with nothing else; see `governance/policy/cel.py`.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from governance.domain.vocabulary import EvidenceRole

NAME = "policy_conditions"
TITLE = "Asking the policy's conditions"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS: tuple[str, ...] = ()
USES_REGISTERS = ("cel_conditions",)
"""The conditions with their facts: another fact changes nothing, another expression asks again."""


def collect(inputs: Inputs) -> Collected:
    """`condition.holds` for each condition: 1, 0, or no value with the reason."""
    from gates.metrics.policy_conditions_impl import measure

    return measure(inputs)
