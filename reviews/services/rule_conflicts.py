"""“This rule does not fit my workload”: opened by whoever meets it, decided by a policy author, kept as a precedent."""

from __future__ import annotations

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, SegregationOfDuties
from governance.domain.vocabulary import Role
from governance.models import ConflictRuling, PolicyDraft, RuleConflict, Submission
from governance.policy import Pack
from governance.selectors.access import Caller, visible
from governance.selectors.conflicts import find_conflict
from governance.selectors.policy import pack_in_force
from governance.services.work import unit_of_work
from reviews.selectors.notices import Notice
from reviews.services.fences import fences
from reviews.services.telling import holders, tell_unit


def open_conflict(
    *, caller: Caller, pack: str, about: str, workload: str, why: str, submission_id: int | None = None
) -> RuleConflict:
    """Say that a rule or gate does not fit, and tell the policy authors. The rule counts until it is decided.

    Raises `NotFound` for what is not in the pack and for a submission of other units; `InvalidInput` naming the field.
    """
    if caller.person is None or caller.token is not None or caller.home_unit is None:
        raise InvalidInput("A conflict is opened by a person of a business unit. Sign in.")
    pack_of_rule(pack, about)
    problems = tuple(
        FieldError(f"/{name}", "missing", detail)
        for name, text, detail in (
            ("workload", workload, "Describe what you do: one or two sentences."),
            ("why", why, "Say why the rule does not fit it, and what would."),
        )
        if not text.strip()
    )
    if problems:
        raise InvalidInput("The conflict was not opened: " + " ".join(each.detail for each in problems), errors=problems)
    submission = None
    if submission_id is not None:
        submission = visible(Submission.objects.all(), caller).filter(pk=submission_id).first()
        if submission is None:
            raise NotFound(f"There is no submission S-{submission_id} in your business unit.")
    unit_id = submission.unit_id if submission is not None else caller.home_unit
    waiting = RuleConflict.objects.filter(pack=pack, about=about, submission=submission, asked_by=caller.person, ruling=None)
    if submission is not None and (first := waiting.first()) is not None:
        raise Conflict(f"You opened {first.number} about this already. It waits for a policy author.", code="open_already")
    with unit_of_work(caller) as work:
        row = RuleConflict.objects.create(
            unit_id=unit_id,
            pack=pack,
            about=about,
            submission=submission,
            workload=workload.strip(),
            why=why.strip(),
            asked_by=caller.person,
        )
        work.gives(row.pk)
        work.note("policy.conflict_opened", row, {"pack": pack, "about": about, "submission": submission_id})
        tell_unit(
            work,
            unit_id,
            Notice.CONFLICT,
            holders(unit_id, Role.POLICY_AUTHOR),
            key=row.number,
            title=f"{row.number}: {about} does not fit a workload",
            says="Somebody meets a rule that was not made for it. Decide: keep it, change it, or say how to go about it.",
            path=f"/conflicts/{row.pk}",
        )
    return row


def decide_conflict(
    *, caller: Caller, conflict_id: int, decision: str, handling: str, draft_id: int | None = None
) -> ConflictRuling:
    """Decide one as a policy author who did not open it. `handling` is what the next one is told.

    Raises `NotFound`, `Forbidden` or `SegregationOfDuties` (by the database), `InvalidInput` naming the field, `Conflict`.
    """
    row, inside = find_conflict(caller, conflict_id)
    if not inside:
        raise NotFound("There is no such conflict in your business unit.")
    if caller.person is None or caller.token is not None:
        raise InvalidInput("A conflict is decided by a person. Sign in.")
    if Role.POLICY_AUTHOR not in caller.roles_in(row.unit_id):
        raise Forbidden("Only a policy author decides whether a rule fits.", code="role_needed")
    if caller.person.pk == row.asked_by_id:
        raise SegregationOfDuties("You opened this conflict, so somebody else decides it.")
    if hasattr(row, "ruling"):
        raise Conflict(f"{row.number} was decided already.", code="decided_already")
    problems = []
    if decision not in dict(ConflictRuling.HOW):
        problems.append(FieldError("/decision", "choose", "Choose what becomes of the rule."))
    if not handling.strip():
        problems.append(FieldError("/handling", "missing", "Say what the next one who meets the rule has to do."))
    draft = PolicyDraft.objects.filter(pk=draft_id).first() if draft_id else None
    if decision == ConflictRuling.CHANGE and draft is None:
        problems.append(FieldError("/draft", "missing", "Choose the draft that changes it; start one first."))
    if problems:
        raise InvalidInput("Not decided: " + " ".join(each.detail for each in problems), errors=tuple(problems))
    with fences(), unit_of_work(caller) as work:
        ruling = ConflictRuling.objects.create(
            conflict=row,
            decision=decision,
            handling=handling.strip(),
            draft=draft if decision == ConflictRuling.CHANGE else None,
            by=caller.person,
        )
        said = {"conflict": row.pk, "about": row.about, "decision": decision, "draft": draft_id}
        work.note("policy.conflict_decided", row, said)
        tell_unit(
            work,
            row.unit_id,
            Notice.CONFLICT,
            {row.asked_by_id: f"You opened {row.number}."},
            key=f"{row.number}:decided",
            title=f"{row.number} about {row.about} was decided: {dict(ConflictRuling.HOW)[decision]}",
            says=handling.strip(),
            path=f"/conflicts/{row.pk}",
        )
    return ruling


def pack_of_rule(pack: str, about: str) -> tuple[Pack, str, str, str]:
    """The pack in force, with title, reason and learning page of one of its rules or gates. Raises `NotFound`."""
    try:
        found = pack_in_force(pack)[1]
    except Conflict as exc:
        raise NotFound(exc.detail) from exc
    for rule in found.rules:
        if rule.id == about:
            return found, rule.title.capitalize(), rule.why, f"/learn/{rule.learn}"
    for use in found.gates:
        if use.gate == about:
            return found, f"Gate {use.gate}", use.why, f"/gates/{use.gate}"
    raise NotFound(f"There is no rule or gate {about} in the policy in force.")
