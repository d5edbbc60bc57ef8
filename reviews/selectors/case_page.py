"""The review page: the decision view with what only the page shows, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.utils.dateparse import parse_datetime

from gates.registry import gates as all_gates
from governance.domain.decision import DecisionView
from governance.domain.facts import FactSet
from governance.domain.remedies import raise_refusal
from governance.domain.requirements import Requirement, requirement_of
from governance.domain.vocabulary import OPEN_STATES, State
from governance.models import Submission
from governance.selectors.access import Caller
from governance.selectors.freezes import Freeze, asking_refusal, freeze_of, in_words, is_frozen
from reviews.models import HandOver, SectionSeen
from reviews.selectors.comparing import CHAMPION, LOOKED, REVISION, Choice, Compared, choices_of, compared
from reviews.selectors.decision_view import view_of
from reviews.selectors.findings import FindingRow, carried_of, carried_rows
from reviews.selectors.loading import Loaded, load
from reviews.selectors.seen import Seen, looked_at, section_digests, seen_of


@dataclass(frozen=True)
class RequirementRow:
    """One gate as a requirement. `says`: its sentence, or how its measurements stand; `runs`: the checks it rests on."""

    code: str
    title: str
    blocking: bool
    state: Requirement
    says: str


@dataclass(frozen=True)
class HandedOver:
    """Who gave the case to whom, and what they wrote."""

    by: str
    to: str
    note: str
    at: datetime


@dataclass(frozen=True)
class CasePage:
    """What the page renders."""

    view: DecisionView
    requirements: tuple[RequirementRow, ...]
    seen: Mapping[str, Seen]
    choices: tuple[Choice, ...]
    compared: Compared | None
    handed: tuple[HandedOver, ...]
    carried: tuple[FindingRow, ...]
    may_raise: bool
    frozen: Freeze | None = None


def case_page(submission_id: int, caller: Caller, *, against: str = "") -> CasePage:
    """The page of a submission. `against`: champion, revision or looked; anything else gives what tells most.

    Raises `NotFound`.
    """
    loaded = load(caller=caller, submission_id=submission_id)
    view = view_of(loaded, caller)
    beside = _beside(loaded.submission, caller)
    marks = [_mark(row) for row in beside["seen"]]
    looked = looked_at(marks, view.dossier_digest) if view.dossier_digest else ""
    choices = choices_of(loaded, looked)
    offered = [choice.key for choice in choices]
    usual = next((key for key in _usual(loaded) if key in offered), "")
    key = against if against in offered else usual
    decision = loaded.material.decision
    facts = FactSet.from_json(decision.facts) if decision is not None else FactSet.of(())
    return CasePage(
        view=view,
        requirements=requirements_of(loaded, view),
        seen=seen_of(marks, section_digests(view)) if view.state != State.DRAFT else {},
        choices=choices,
        compared=compared(loaded, facts, key, looked) if key else None,
        handed=tuple(
            HandedOver(row["by"], row["to"], row["note"], moment)
            for row in beside["handed"]
            if (moment := parse_datetime(row["at"])) is not None
        ),
        carried=tuple(carried_of(row) for row in beside["carried"]),
        may_raise=raise_refusal(State(view.state), caller.actor(loaded.submission.unit_id)) is None,
        frozen=_frozen(loaded.submission, caller) if beside["frozen"] else None,
    )


def _frozen(submission: Submission, caller: Caller) -> Freeze | None:
    """The freeze that an open or approved case meets now."""
    row = freeze_of(submission) if State(submission.state) in (*OPEN_STATES, State.APPROVED) else None
    return in_words(row, may_ask=asking_refusal(caller, submission) is None) if row is not None else None


def _usual(loaded: Loaded) -> tuple[str, ...]:
    """A later revision is read against the one before, a first one against the champion."""
    return (REVISION, CHAMPION, LOOKED) if loaded.submission.revision > 1 else (CHAMPION, REVISION, LOOKED)


def _beside(submission: Submission, caller: Caller) -> dict[str, Any]:
    """The reader's marks, the hand-overs, the findings of earlier versions, and whether there is a freeze: one statement."""
    me = caller.person.pk if caller.person is not None else 0
    seen = SectionSeen.objects.filter(submission=OuterRef("pk"), person_id=me)
    handed = HandOver.objects.filter(submission=OuterRef("pk"), revision=OuterRef("revision")).order_by("-id")
    row = (
        Submission.objects.filter(pk=submission.pk)
        .annotate(
            seen_rows=ArraySubquery(
                seen.values(row=JSONObject(section="section", digest="digest", dossier_digest="dossier_digest", at="at"))
            ),
            handed_rows=ArraySubquery(
                handed.values(
                    row=JSONObject(
                        first="by__first_name",
                        by="by__username",
                        to="to__username",
                        to_first="to__first_name",
                        note="note",
                        at="at",
                    )
                )[:5]
            ),
            carried_rows=ArraySubquery(carried_rows()),
            some_freeze=is_frozen(),
        )
        .values("seen_rows", "handed_rows", "carried_rows", "some_freeze")
        .get()
    )
    for each in row["handed_rows"] or ():
        each["by"], each["to"] = each["first"] or each["by"], each["to_first"] or each["to"]
    return {
        "seen": row["seen_rows"] or [],
        "handed": row["handed_rows"] or [],
        "carried": row["carried_rows"] or [],
        "frozen": row["some_freeze"],
    }


def _mark(row: Mapping[str, Any]) -> SectionSeen:
    at = parse_datetime(row["at"])
    assert at is not None
    return SectionSeen(section=row["section"], digest=row["digest"], dossier_digest=row["dossier_digest"], at=at)


def requirements_of(loaded: Loaded, view: DecisionView) -> tuple[RequirementRow, ...]:
    """Every gate that was judged, and while checks run every gate of the policy that is still to be judged."""
    statuses = {run.collector: run.status for run in loaded.runs.runs}
    known = all_gates()
    rows = [
        RequirementRow(
            gate.code,
            gate.title or gate.name,
            gate.blocking,
            requirement_of(
                gate.verdict,
                waived=gate.shown == "waived",
                runs=[statuses[name] for name in _collectors(gate.code) if name in statuses],
            ),
            gate.says,
        )
        for gate in view.gates
    ]
    judged, pack = {row.code for row in rows}, loaded.material.pack
    if view.state == State.IN_CHECKS and pack is not None:
        for use in pack.document.gates:
            code, blocks = use.gate, use.blocking
            runs = [statuses[name] for name in _collectors(code) if name in statuses]
            if code in known and code not in judged and runs:
                blocking = blocks if isinstance(blocks, bool) else view.track in blocks
                rows.append(RequirementRow(code, known[code].title, blocking, requirement_of("", runs=runs), ""))
    return tuple(rows)


def _collectors(code: str) -> tuple[str, ...]:
    gate = all_gates().get(code)
    return gate.collectors if gate is not None else ()
