"""Whether it is said how explanations are made, and whether the use is regulated. From the facts; needs no file."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from gates.metrics.documentation import words
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "explanations_statement"
TITLE = "Reading how explanations are made"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS = ("explanation.method", "regulation.regimes")

FEWEST = 20


def collect(inputs: Inputs) -> Collected:
    """`explanation.method_statement` (1 stated, 0 not) and `explanation.regulated` (1 regulated or not known, 0 not)."""
    said = words(inputs.facts.get("explanation.method"))
    regimes = inputs.facts.get("regulation.regimes")
    if isinstance(regimes, list | tuple):
        regulated = Measure("explanation.regulated", float(bool(regimes)), text=", ".join(str(name) for name in regimes))
    else:
        regulated = Measure("explanation.regulated", 1.0, text="nobody said whether a regulation applies, which counts as yes")
    stated = Measure("explanation.method_statement", float(len(said) >= FEWEST), text=said[:600])
    return Collected(measures=(stated, regulated))
