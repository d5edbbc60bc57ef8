"""What people have to attest about a case, what they are shown, and what was answered: asked from the policy and the outcomes.

A gate whose stored outcome rests on `person.<id>` asks for the attestation <id> of the pack. What is shown (the subject) comes
from the
stored measurements and has a digest; an answer counts for that subject only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gates.models import GateOutcome, Measurement
from gates.people import PREFIX, waits_for_person
from gates.registry import gates as all_gates
from gates.selectors.measured import current_runs
from gates.spec import Measure
from governance.domain.canonical import digest
from governance.domain.decision_review import AttestationView
from governance.domain.errors import Conflict, DomainError, Forbidden, SegregationOfDuties
from governance.domain.lifecycle import Case, words
from governance.domain.vocabulary import Role, RunStatus, State, Verdict
from governance.models import Submission
from governance.policy import Pack
from governance.policy.steps import Attestation
from governance.selectors.access import Caller
from reviews.models import Attested
from reviews.selectors.loading import Loaded

COLLECTORS = ("explanations", "reason_codes")
METRICS = ("explanation.example", "reason_codes.codes", "explanation.share")
TOP_FEATURES = 12


@dataclass(frozen=True)
class Item:
    """One thing to answer about. `key` is "" for a statement as a whole; `shown` is what the page shows and the record keeps."""

    key: str
    shown: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One attestation as this case asks for it, with the answers given about exactly this subject. `gates`: codes that wait for
    it.
    """

    attestation: Attestation
    gates: tuple[str, ...]
    items: tuple[Item, ...]
    subject: str
    answers: tuple[Attested, ...] = field(default_factory=tuple)

    @property
    def left(self) -> tuple[Item, ...]:
        """The items nobody has answered."""
        done = {row.item for row in self.answers}
        return tuple(item for item in self.items if item.key not in done)

    @property
    def done(self) -> bool:
        return bool(self.items) and not self.left


def asked_of(submission: Submission, pack: Pack | None, outcomes: Iterable[GateOutcome]) -> tuple[Asked, ...]:
    """What the present revision asks people to attest, in the order of the pack. Three statements; none where nothing is
    asked.
    """
    outcomes = tuple(outcomes)
    if pack is None or not pack.document.attestations:
        return ()
    waiting = {outcome.metric.removeprefix(PREFIX) for outcome in outcomes if outcome.metric.startswith(PREFIX)}
    answers = list(Attested.objects.filter(submission=submission).select_related("by").order_by("id"))
    if not waiting and not answers:
        return ()
    runs = current_runs(submission.pk, submission.revision)
    done = {run.pk: run for run in runs if run.collector in COLLECTORS and run.status == RunStatus.DONE}
    rows = list(Measurement.objects.filter(run__in=done, metric__in=METRICS).order_by("id"))
    inputs = sorted((run.collector, run.input_digest) for run in done.values())
    found = []
    for attestation in pack.document.attestations:
        if attestation.id not in waiting | {row.what for row in answers}:
            continue
        items = _items(attestation, rows)
        subject = digest(
            {
                "what": attestation.id,
                "asks": attestation.asks,
                "statement": attestation.statement,
                "items": [{"key": item.key, "shown": item.shown} for item in items],
                "inputs": [list(pair) for pair in inputs],
            }
        )
        given = tuple(row for row in answers if row.what == attestation.id and row.subject == subject)
        if given or attestation.id in waiting:
            found.append(Asked(attestation, _resting(outcomes, attestation.id), items, subject, given))
    return tuple(found)


def as_measures(asked: Iterable[Asked]) -> tuple[Measure, ...]:
    """What gates read: the part answered yes once every item is answered, else None with how many are missing."""
    return tuple(_measure(row) for row in asked)


def refusal(case: Case, caller: Caller, unit_id: int, attestation: Attestation) -> DomainError | None:
    """Why the caller may not answer, or None. The same rules as for a decision; the database trigger holds them too."""
    actor = caller.actor(unit_id)
    if case.state is not State.IN_REVIEW:
        return Conflict(f"Nothing is attested now: the submission is {words(case.state)}.", code="not_in_review")
    if actor.token or actor.person is None:
        return Forbidden("A token cannot attest. A person has to sign in and read.", code="person_needed")
    if attestation.role not in actor.roles:
        return Forbidden(f"This is attested by the {attestation.role.label}. You do not hold that role here.", code="role_needed")
    if actor.person in case.conflicts:
        return SegregationOfDuties("You declared a conflict of interest on this case, so somebody else attests it.")
    if actor.person == case.submitter:
        return SegregationOfDuties("You submitted this version, so somebody else attests it.")
    if actor.person in case.contributors:
        return SegregationOfDuties(f"You {case.contributors[actor.person]}, so somebody else attests it.")
    if actor.person in case.waived:
        return SegregationOfDuties(f"You {case.waived[actor.person]}, so somebody else attests it.")
    earlier = next(
        (role for role, person in case.decided.items() if person == actor.person and role is not attestation.role), None
    )
    spoke = case.attested.get(actor.person, attestation.role)
    if spoke is not attestation.role:
        return SegregationOfDuties(f"You attested something on it as {spoke.label}, so somebody else attests this.")
    if earlier is not None:
        return SegregationOfDuties(f"You already decided this case as {earlier.label}, so somebody else attests this.")
    return None


def attestation_views(loaded: Loaded, roles: frozenset[Role]) -> tuple[AttestationView, ...]:
    """The same from rows already loaded, for the case page: how far each one is. `roles`: those the reader holds here."""
    pack, outcomes = loaded.material.pack, loaded.material.outcomes
    found = []
    for about in pack.document.attestations if pack is not None else ():
        waits = next((o for o in outcomes if waits_for_person(o.metric, o.verdict) and o.metric == f"{PREFIX}{about.id}"), None)
        answers = [row for row in loaded.attested if row.what == about.id]
        latest = [row for row in answers if row.subject == answers[-1].subject]
        if waits is None and not answers:
            continue
        found.append(
            AttestationView(
                id=about.id,
                title=about.title,
                role_label=about.role.label,
                gates=_resting(outcomes, about.id),
                waits=waits is not None,
                says=waits.says if waits is not None else "",
                yes=sum(row.yes for row in latest),
                no=sum(not row.yes for row in latest),
                by=tuple(dict.fromkeys(loaded.name(row.by_id) for row in latest)),
                yours=waits is not None and about.role in roles and loaded.submission.state == State.IN_REVIEW,
            )
        )
    return tuple(found)


def _resting(outcomes: Sequence[GateOutcome], name: str) -> tuple[str, ...]:
    """Gates of this case that read an attestation and have an object here."""
    known = all_gates()
    return tuple(
        outcome.code
        for outcome in outcomes
        if (gate := known.get(outcome.code)) is not None
        and f"{PREFIX}{name}" in gate.needs
        and outcome.verdict != Verdict.NOT_APPLICABLE
    )


def _items(attestation: Attestation, rows: Sequence[Measurement]) -> tuple[Item, ...]:
    examples = [row for row in rows if row.metric == "explanation.example"]
    if attestation.reads:
        return tuple(
            Item(str(row.detail.get("case", "")), {"score": row.value, **row.detail}) for row in examples[: attestation.reads]
        )
    listed: list[Any] = next((row.detail.get("codes", []) for row in rows if row.metric == "reason_codes.codes"), [])
    shares = sorted((row for row in rows if row.metric == "explanation.share"), key=lambda row: -(row.value or 0))[:TOP_FEATURES]
    features = [{"feature": row.group.removeprefix("feature="), "share": row.value} for row in shares]
    return (Item("", {"codes": listed, "features": features}),) if listed or features else ()


def _measure(row: Asked) -> Measure:
    name, label = f"{PREFIX}{row.attestation.id}", row.attestation.role.label
    total, answered = len(row.items), len(row.items) - len(row.left)
    if not total:
        return Measure(
            name, None, n=0, reason=f"There is nothing to show to the {label}: no explanation of single decisions was stored."
        )
    if row.left:
        what = f"{answered} of {total} are answered" if row.attestation.reads else "nobody has attested it yet"
        return Measure(name, None, n=answered, reason=f"Waits for the {label}: {row.attestation.title} ({what}).")
    yes = sum(answer.yes for answer in row.answers)
    who = ", ".join(dict.fromkeys(answer.by.name for answer in row.answers))
    return Measure(name, yes / total, n=total, detail={"wanted": total, "yes": yes, "no": total - yes, "by": who, "role": label})
