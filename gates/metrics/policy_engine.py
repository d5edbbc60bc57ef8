"""What the organisation's own policy engine (OPA, Rego) says about the facts. Reads no file; asks the operator's server.

The facts go as `input.facts`; see `governance/services/deciding_elsewhere.py` for what comes back and how it fails closed.
"""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole
from governance.prefill.fact_types import FACT_TYPES

NAME = "policy_engine"
TITLE = "Asking the policy engine"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS = tuple(sorted(FACT_TYPES))
USES_REGISTERS = ("as_of",)
"""The policy elsewhere may change without the facts changing: an answer counts for a day at most."""
INPUT = "guiderail/opa-input/1"


def collect(inputs: Inputs) -> Collected:
    """`policy.denied` and `policy.warned`: how many reasons, with the sentences in their text."""
    from governance.services.deciding_elsewhere import FACTS, NoDecision, decide

    try:
        decision = decide(FACTS, {"schema": INPUT, "facts": dict(inputs.facts)})
    except NoDecision as problem:
        return Collected(not_measured=str(problem))
    measures = [
        Measure(f"policy.{name}", float(len(said)), text="; ".join(said), detail={"engine": decision.engine, "says": list(said)})
        for name, said in (("denied", decision.deny), ("warned", decision.warn))
    ]
    return Collected(measures=tuple(measures))
