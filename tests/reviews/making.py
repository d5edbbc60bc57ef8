"""People, packs and cases under review for these tests: real rows, written the way the services write them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from gates.models import GateOutcome
from governance.domain.facts import Fact, FactSet
from governance.domain.lifecycle import POLICY, Action
from governance.domain.vocabulary import Assurance, DecisionKind, Provenance, Role, State, StepState, Track
from governance.models import (
    Answer,
    Contributor,
    Evidence,
    EvidenceFile,
    MetadataSource,
    Person,
    PolicyPack,
    Revision,
    RoleGrant,
    Submission,
    System,
    SystemVersion,
    TrackDecision,
    Unit,
)
from governance.policy import evaluate, load_pack
from governance.selectors.access import SYSTEM, Caller, caller_for
from governance.services.lifecycle import advance
from governance.services.work import unit_of_work
from reviews.selectors.case import case_of
from reviews.selectors.dossier import dossier
from reviews.services.decision_input import NewDecision
from reviews.services.intake import submit
from reviews.services.refreshing import keep
from reviews.services.steps import lay_out, open_next, steps_for

_number = count(1)

PACK = {
    "pack": "ml_model",
    "kind": "ml_model",
    "version": "2026.11.1",
    "title": "A small pack",
    "why": "For tests of the review.",
    "rules": [
        {
            "id": "TR-020",
            "title": "High-risk decision",
            "why": "Somebody is harmed when it errs.",
            "learn": "high-risk-decisions",
            "when": {"fact": "decision.domain", "in": ["credit", "fraud"]},
            "track": "red",
            "says": "makes {decision.domain} decisions",
            "unknown_says": "does not say what it decides",
            "held": "it decides nothing of high risk",
            "on_unknown": "red",
            "editable_by": "nobody",
            "change": "use it for another purpose",
            "examples": [
                {"name": "credit", "facts": {"decision.domain": "credit"}, "gives": "red"},
                {"name": "marketing", "facts": {"decision.domain": "marketing"}, "gives": "held"},
            ],
        },
        {
            "id": "TR-030",
            "title": "Performance change",
            "why": "A jump is often leakage.",
            "learn": "performance-change",
            "fact": "performance.relative_change",
            "bands": {"yellow": ">= 0.05", "red": ">= 0.15"},
            "direction": "both",
            "unit": "percent",
            "says": "{performance.metric} changes by {performance.relative_change:+.1%}",
            "unknown_says": "its performance change is not known",
            "held": "performance change is within acceptable bounds",
            "on_unknown": "red",
            "editable_by": "submitter",
            "change": "keep the change below {limit}",
            "examples": [
                {"name": "jump", "facts": {"performance.relative_change": 0.2}, "gives": "red"},
                {"name": "small", "facts": {"performance.relative_change": 0.01}, "gives": "held"},
            ],
        },
        {
            "id": "TR-060",
            "title": "Personal data",
            "why": "The data steward has to know.",
            "learn": "personal-data",
            "when": {"fact": "data.contains_pii", "eq": True},
            "track": "yellow",
            "says": "uses personal data",
            "unknown_says": "does not say whether it uses personal data",
            "on_unknown": "yellow",
            "editable_by": "submitter",
            "change": "leave personal data out",
            "adds_steps": ["privacy"],
            "examples": [
                {"name": "yes", "facts": {"data.contains_pii": True}, "gives": "yellow"},
                {"name": "no", "facts": {"data.contains_pii": False}, "gives": "held"},
            ],
        },
    ],
    "tracks": {
        "green": {"steps": [], "why": "Approved by the policy.", "deploy": "automatic"},
        "yellow": {
            "steps": [{"role": "platform_engineer", "attests": "It runs and can be taken back."}],
            "why": "A small change.",
            "due": "3h",
        },
        "red": {
            "steps": [
                {"role": "analyst", "attests": "Performance, fairness and explanations were challenged."},
                {"role": "risk_officer", "attests": "The residual risk is acceptable."},
            ],
            "why": "High risk or a big change.",
            "due": "3d",
        },
    },
    "added_steps": [{"role": "privacy", "attests": "The use of personal data is covered by an approval.", "due": "1d"}],
    "gates": [],
}
QUESTIONNAIRE = {
    "questionnaire": "ml_model",
    "version": "1",
    "topics": [
        {"id": "use", "title": "Use", "why": "What it decides."},
        {"id": "roll-out", "title": "Roll-out", "why": "How it goes live."},
    ],
    "questions": [
        {
            "id": "decision.domain",
            "ask": "What does it decide?",
            "why": "The domain sets the inherent risk.",
            "good": "One domain.",
            "example": "credit",
            "type": "choice",
            "topic": "use",
            "owner": "submitter",
            "unknown": "Red.",
            "choices": [
                {"value": "credit", "label": "Credit"},
                {"value": "fraud", "label": "Fraud"},
                {"value": "marketing", "label": "Marketing"},
            ],
        },
        {
            "id": "business.context",
            "ask": "What is it for?",
            "why": "Reviewers read it first.",
            "good": "Two sentences.",
            "example": "Pre-screens applications.",
            "type": "text",
            "topic": "use",
            "owner": "submitter",
            "unknown": "Reviewers will ask.",
            "material": False,
        },
        {
            "id": "rollout.rollback_target",
            "ask": "Which version do you return to?",
            "why": "Nothing goes live without a way back.",
            "good": "A version that still serves.",
            "example": "2.2.0",
            "type": "text",
            "topic": "roll-out",
            "owner": "submitter",
            "unknown": "It cannot be approved.",
        },
    ],
}


def policy(*gates: dict[str, Any]) -> PolicyPack:
    """The test pack in force, loaded once; with gates where a test needs some."""
    source, questions = json.dumps({**PACK, "gates": list(gates)}), json.dumps(QUESTIONNAIRE)
    pack = load_pack(source, questions)
    row = PolicyPack.objects.filter(digest=pack.digest).first()
    return row or PolicyPack.objects.create(
        name=pack.name,
        kind=pack.kind,
        version=pack.version,
        digest=pack.digest,
        source=source,
        questionnaire=questions,
        active_from=Now(),
    )


def unit(slug: str = "lending") -> Unit:
    return Unit.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize()})[0]


def person(name: str, *roles: Role, at: Unit | None = None, everywhere: bool = False) -> Person:
    """Somebody with roles in a unit (or everywhere), granted now."""
    at = at or unit()
    row, created = Person.objects.get_or_create(
        username=name, defaults={"unit": at, "first_name": name.capitalize(), "email": f"{name}@example.org"}
    )
    if created:
        for role in roles:
            RoleGrant.objects.create(
                person=row,
                role=role,
                unit=None if everywhere else at,
                reason="for the test",
                valid_from=timezone.now() - timedelta(days=1),
            )
    return row


def call(who: Person) -> Caller:
    return caller_for(who)


def everybody() -> dict[str, Person]:
    """The demo people of one unit; the reviewers hold their roles everywhere."""
    return {
        "dana": person("dana", Role.SUBMITTER),
        "pia": person("pia", Role.PLATFORM_ENGINEER, everywhere=True),
        "amir": person("amir", Role.ANALYST, everywhere=True),
        "ruth": person("ruth", Role.RISK_OFFICER, everywhere=True),
        "priya": person("priya", Role.PRIVACY, everywhere=True),
        "ada": person("ada", Role.AUDITOR, everywhere=True),
    }


@dataclass
class Gate:
    """An outcome to be written."""

    code: str
    verdict: str = "pass"
    blocking: bool = True
    says: str = "auc is 0.81, limit >= 0.80."
    extra: dict[str, Any] = field(default_factory=dict)


def facts_for(track: Track, **more: Any) -> FactSet:
    """Facts that give that track under the test pack."""
    values = {
        "decision.domain": "credit" if track is Track.RED else "marketing",
        "performance.metric": "auc",
        "performance.relative_change": {Track.GREEN: 0.01, Track.YELLOW: 0.06, Track.RED: 0.02}[track],
        "data.contains_pii": False,
        "rollout.rollback_target": "first version",
        "business.context": "Pre-screens applications.",
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return FactSet.of(Fact(name, value, Assurance.FILE, "MLmodel", f"/metadata/{name}") for name, value in values.items())


def draft(
    track: Track = Track.RED,
    *,
    submitter: Person | None = None,
    at: Unit | None = None,
    version: str = "",
    system: str = "credit-default",
) -> Submission:
    """A draft with an answer and a piece of evidence."""
    at = at or unit()
    submitter = submitter or person("dana", Role.SUBMITTER, at=at)
    owner, _ = System.objects.get_or_create(
        unit=at, slug=system, defaults={"name": system, "kind": "ml_model", "owner": submitter}
    )
    build = SystemVersion.objects.create(
        system=owner, version=version or f"2.{next(_number)}.0", artifact_digest="sha256:" + "a" * 64
    )
    row = Submission.objects.create(
        unit=at,
        system=owner,
        version=build,
        kind="ml_model",
        environment="production",
        submitter=submitter,
        turn="submitter",
        turn_since=Now(),
    )
    Contributor.objects.create(submission=row, person=submitter, why="submitted it")
    file, _ = EvidenceFile.objects.get_or_create(
        unit=at,
        sha256="b" * 64,
        defaults={"size": 10, "name": "pred.parquet", "media_type": "application/octet-stream", "uploaded_by": submitter},
    )
    Evidence.objects.create(submission=row, role="candidate_predictions", file=file, columns={"label": "y"}, added_by=submitter)
    Answer.objects.create(
        submission=row,
        question="decision.domain",
        value=facts_for(track).value("decision.domain"),
        provenance=Provenance.CONFIRMED,
        by=submitter,
    )
    return row


def in_checks(
    track: Track = Track.RED, *, gates: tuple[Gate, ...] = (), facts: FactSet | None = None, **given: Any
) -> Submission:
    """A submission whose runs have finished and whose outcomes are stored, but which nobody settled."""
    row = draft(track, **given)
    pack_row, known = policy(), facts or facts_for(track)
    Revision.objects.create(
        submission=row, number=1, facts=known.to_json(), answers=[], evidence=[], sources=[], submitted_by=row.submitter
    )
    Submission.objects.filter(pk=row.pk).update(
        state=State.IN_CHECKS, revision=1, policy=pack_row, turn="machine", submitted_at=Now(), track=track
    )
    for gate in gates:
        GateOutcome.objects.create(
            submission=row,
            revision=1,
            code=gate.code,
            name=gate.code.lower(),
            verdict=gate.verdict,
            blocking=gate.blocking,
            says=gate.says,
            **gate.extra,
        )
    return Submission.objects.select_related("system", "version", "submitter", "unit").get(pk=row.pk)


def in_review(
    track: Track = Track.RED, *, gates: tuple[Gate, ...] = (Gate("GP101"),), facts: FactSet | None = None, **given: Any
) -> Submission:
    """A case under review, its first step open, with the final track and the outcomes given."""
    row = in_checks(track, gates=gates, facts=facts, **given)
    pack_row, known = policy(), facts or facts_for(track)
    pack = load_pack(pack_row.source, pack_row.questionnaire)
    with unit_of_work(SYSTEM) as work:
        row = (
            Submission.objects.select_for_update(of=("self",))
            .select_related("system", "version", "submitter", "unit")
            .get(pk=row.pk)
        )
        assessment = evaluate(pack, known)
        assert assessment.track is track, (assessment.track, assessment.sentence)
        TrackDecision.objects.create(
            submission=row,
            revision=1,
            final=True,
            track=track,
            policy=pack_row,
            facts=known.to_json(),
            assessment=assessment.to_json(),
        )
        row.track, row.track_is_final = track, True
        row.save(update_fields=["track", "track_is_final"])
        lay_out(row, steps_for(pack, assessment, track))
        keep(row, dossier(row))
        advance(work, row, Action.PASS_CHECKS, case=case_of(row), actor=POLICY, turn=assessment.steps[0].role.value)
        open_next(work, row, pack)
    return fresh(row)


def handed_in(track: Track = Track.RED, *, facts: FactSet | None = None, **given: Any) -> Submission:
    """A draft with a metadata file, submitted through the service; the pack in force decides."""
    row = draft(track, **given)
    row.answers.all().delete()
    known = facts or facts_for(track)
    MetadataSource.objects.create(
        submission=row,
        name="MLmodel",
        sha256="f" * 64,
        content=b"x",
        reader="mlflow",
        facts=known.to_json(),
        added_by=row.submitter,
    )
    submit(caller=call(row.submitter), submission_id=row.pk)
    return fresh(row)


def fresh(row: Submission) -> Submission:
    return Submission.objects.select_related("system", "version", "submitter", "unit").get(pk=row.pk)


def approve(**given: Any) -> NewDecision:
    """An approval that says enough for any role when every gate is green."""
    given.setdefault("comment", "Performance by group and the explanations were read against the champion.")
    given.setdefault("rationale", "It is better for every group and nothing it decides by is new.")
    given.setdefault("alternatives", "Keeping the champion, which is worse for the young; a smaller canary.")
    given.setdefault("residual_risk", "Small groups stay uncertain; the monitor on them is watched weekly.")
    given.setdefault("residual_level", "medium")
    given.setdefault("residual_plan", "The owner watches the small groups weekly and reports to risk.")
    given.setdefault("residual_review_on", timezone.now().date() + timedelta(days=60))
    given.setdefault("reauthenticated_at", timezone.now())
    return NewDecision(DecisionKind.APPROVE, **given)


def open_step(row: Submission) -> Any:
    return row.steps.get(revision=row.revision, state=StepState.OPEN)
