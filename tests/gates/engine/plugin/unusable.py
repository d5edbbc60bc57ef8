"""Finds its evidence unusable, always in the same way."""

from gates.collecting import Collected, EvidenceProblem, Inputs

NAME, TITLE, VERSION, HEAVY = "unusable", "Reading a file with a column missing", 1, False
REQUIRES: tuple[str, ...] = ()
OPTIONAL: tuple[str, ...] = ()
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    raise EvidenceProblem(file="preds.csv", column="score", expected="numbers", found="words", way_out="Export it again.")
