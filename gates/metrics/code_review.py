"""Who reviewed the code, from the facts: approvals of the change by others than its author. Needs no file."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "code_review"
TITLE = "Counting the approvals of the code"
VERSION = 1
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_FACTS = ("code.approvals", "code.author", "code.commit", "code.approved_commit", "code.pull_request")


def collect(inputs: Inputs) -> Collected:
    """`review.approvals`: different people without the author. `review.stale`: another commit was approved."""
    named, author = inputs.facts.get("code.approvals"), str(inputs.facts.get("code.author") or "").strip().lower()
    where = str(inputs.facts.get("code.pull_request") or "")
    if not isinstance(named, list | tuple):
        return Collected((Measure("review.approvals", None, reason="Nobody said who approved the code (code.approvals)."),))
    people = {str(name).strip().lower(): str(name).strip() for name in named if str(name).strip()}
    own = [name for key, name in people.items() if key == author]
    others = [name for key, name in people.items() if key != author]
    measures = [
        Measure("review.approvals", float(len(others)), text=", ".join(others[:20]) or "nobody", detail={"where": where[:300]}),
        Measure("review.own", float(len(own)), text=", ".join(own)),
        Measure("review.author_known", 1.0 if author else 0.0),
    ]
    commit, approved = (str(inputs.facts.get(f"code.{name}") or "").strip().lower() for name in ("commit", "approved_commit"))
    if commit and approved:
        same = commit.startswith(approved) or approved.startswith(commit)
        measures.append(Measure("review.stale", 0.0 if same else 1.0, text=f"{approved[:12]} approved, {commit[:12]} handed in"))
    return Collected(tuple(measures))
