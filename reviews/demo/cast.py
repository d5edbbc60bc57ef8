"""The people of the demo's stories and what they do in each: sign as themselves, read what is not green, let a case lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.vocabulary import DecisionKind, State
from governance.models import Person, Submission, Unit
from governance.selectors.access import SYSTEM, caller_for
from governance.services.work import unit_of_work
from reviews.demo.reading import read_everything
from reviews.models import ReviewStep
from reviews.selectors.case import case_of
from reviews.selectors.dossier import current_digest
from reviews.services.deciding import decide
from reviews.services.decision_input import NewCheck, NewDecision


@dataclass
class Cast:
    """The people and units of the stories."""

    people: dict[str, Person]
    units: dict[str, Unit]
    say: Callable[[str], None]

    def sign(self, submission: Submission, who: str, **more: Any) -> None:
        """Decide the open step as that person, on the dossier as it is now."""
        if more.get("kind", DecisionKind.APPROVE) in (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS):
            read_everything(self.people, submission)
        caller = caller_for(self.people[who], origin="job")
        step_id = case_of(submission, caller).step_id
        assert step_id is not None, "nothing waits for a decision"
        step = ReviewStep.objects.get(pk=step_id)
        values: dict[str, Any] = {
            "kind": DecisionKind.APPROVE,
            "comment": "Read together with the evidence; the intervals are narrow.",
            "rationale": "It is at least as good as what runs now for every group that was measured.",
            "alternatives": "Keeping the champion, and half of the traffic; the canary bounds the first errors well enough.",
            "checks": {item["id"]: NewCheck("yes") for item in step.checklist},
            "residual_level": "medium",
            "residual_plan": "The owner reads errors by group each week and takes the canary back at the first breach.",
            "residual_review_on": timezone.now().date() + timedelta(days=90),
            **more,
        }
        decide(
            caller=caller,
            submission_id=submission.pk,
            dossier_digest=current_digest(submission.pk),
            decision=NewDecision(**values),
        )
        submission.refresh_from_db()


def tell(cast: Cast, home: Path, stories: Sequence[tuple[str, str, Callable[[Cast, Path], None]]]) -> None:
    """Hand in every case. Each story is skipped when its last version exists already."""
    for system, version, story in stories:
        if Submission.objects.filter(system__slug=system, version__version=version).exists():
            continue
        cast.say(f"{system}")
        story(cast, home)


def approve_red(cast: Cast, submission: Submission) -> None:
    """Every step in its order, each by the person of the demo who has that role."""
    by_role = {"analyst": "amir", "privacy": "priya", "risk_officer": "ruth", "platform_engineer": "pia"}
    by_role |= {"budget_owner": "bruno", "security": "sami", "ethics": "esi", "legal": "lena"}
    while submission.state == State.IN_REVIEW:
        step = ReviewStep.objects.filter(submission=submission, state="open").order_by("order")[0]
        who = by_role[step.role]
        more: Mapping[str, Any] = {"readings": readings_of(submission, who)}
        if step.role == "risk_officer":
            more = {
                **more,
                "reauthenticated_at": timezone.now(),
                "residual_risk": "Wrong refusals are appealable within a week; "
                "a canary and a circuit breaker bound the exposure.",
            }
        cast.sign(submission, who, **more)


def readings_of(submission: Submission, who: str) -> dict[str, str]:
    """A reading for each gate that is not green, as that person of the demo would write it."""
    opinion = {
        "amir": "worth watching, not worth stopping for",
        "ruth": "an exposure I can bound",
        "pia": "no change for operations",
    }
    found = {}
    for outcome in submission.outcomes.filter(revision=submission.revision).exclude(verdict__in=["pass", "not_applicable"]):
        rows = f"{outcome.n} rows" if outcome.n else "what was handed in"
        words = opinion.get(who, "acceptable for the purpose stated")
        found[outcome.code] = (
            f"{who.capitalize()} on {outcome.name.replace('-', ' ')}: {words}, given {rows} and a canary of ten percent."
        )
    return found


def overdue(submission: Submission) -> None:
    """Let a case lie: as if it had been opened four days ago. Noted in the audit trail like everything else."""
    with unit_of_work(SYSTEM) as work:
        past = Now() - timedelta(days=4)
        step = ReviewStep.objects.filter(submission=submission, state="open").order_by("order")[0]
        due = timezone.now() - timedelta(days=3, hours=20)
        ReviewStep.objects.filter(pk=step.pk).update(opened_at=past, due_at=due)
        Submission.objects.filter(pk=submission.pk).update(turn_since=past, due_at=due)
        work.note("demo.backdated", submission, {"days": 4})
