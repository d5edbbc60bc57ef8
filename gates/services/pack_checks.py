"""Trying the examples of a pack's conditions in CEL before the pack may judge anybody: in the confined child, as in earnest."""

from __future__ import annotations

from gates import sandbox
from gates.collecting import Inputs
from governance.policy import Pack

COLLECTOR = "policy_conditions"
_CAME = {1.0: "holds", 0.0: "broken", None: "unknown"}


def condition_problems(pack: Pack) -> list[str]:
    """Every example that does not come out as written, as a sentence; none for a pack without conditions."""
    tried = [(condition, example) for condition in pack.document.cel_conditions for example in condition.examples]
    if not tried:
        return []
    asked = [condition.asked(example.facts, name=str(number)) for number, (condition, example) in enumerate(tried)]
    ran = next(sandbox.run([COLLECTOR], {COLLECTOR: Inputs(settings={"cel_conditions": asked})}, pictures=False))
    if ran.collected is None:
        return [f"The examples of the conditions in CEL could not be tried. {ran.reason}"]
    found = []
    for (condition, example), row in zip(tried, ran.collected.measures, strict=True):
        came = _CAME[row.value]
        if came != example.gives:
            because = f" ({row.reason.rstrip('.')})" if row.reason else ""
            found.append(f"{condition.id}: the example “{example.name}” should give {example.gives}, and gives {came}{because}.")
    return found
