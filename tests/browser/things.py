"""What the pages of one thing are about, made through the services: an envelope, a draft with its back-test, an incident …"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from governance.domain.vocabulary import Role
from governance.models import Backtest, GrantRequest, Person, PolicyPack, Submission
from governance.policy.monitoring import Reading
from governance.selectors.access import Caller, caller_for
from governance.services.administration import grant_role
from governance.services.envelopes import NewEnvelope, parse_bounds, propose_envelope, rule_on_envelope
from governance.services.freezes import NewFreeze, propose_freeze
from governance.services.policy_drafts import accept_examples, change_limits, start_draft
from reviews.models import ChangeNote, Incident
from reviews.services.backtesting import ask as ask_backtest
from reviews.services.deploying import NewDeployment, report_deployment
from reviews.services.downstream import add_team
from reviews.services.exposure import NewExposure, request_exposure
from reviews.services.incidents import NewIncident, do_step, open_incident, resolve
from reviews.services.monitoring import NewSignal, report_signal
from reviews.services.policy_life import propose
from reviews.services.rule_conflicts import decide_conflict, open_conflict
from reviews.services.webhook_endpoints import add_endpoint


def callers(people: Mapping[str, Person]) -> dict[str, Caller]:
    return {name: caller_for(person, origin="job") for name, person in people.items()}


def of_the_policy(people: Mapping[str, Person], case: Submission) -> dict[str, object]:
    """A draft that is proposed, its back-test, two packs to compare, a rule that did not fit, an envelope."""
    who = callers(people)
    conflict = open_conflict(
        caller=who["dana"],
        pack="ml_model",
        about="TR-020",
        workload="Limit increases for customers who already have a limit.",
        why="Nobody loses what they have, and a person decides every refusal again.",
        submission_id=case.pk,
    )
    decide_conflict(
        caller=who["gwen"],
        conflict_id=conflict.pk,
        decision="keep",
        handling="Credit stays red: a limit not raised is a refusal too.",
    )
    started = start_draft(caller=who["gwen"], kind="ml_model", why="Two bad releases moved by more than four per cent.")
    draft = change_limits(caller=who["gwen"], draft_id=started.pk, rule_id="TR-071", yellow="4 %", red="15 %")
    accept_examples(caller=who["gwen"], draft_id=draft.pk, rule_id="TR-071")
    draft.refresh_from_db()
    backtest = ask_backtest(
        caller=who["gwen"], name=draft.name, source=draft.source, questionnaire=draft.questionnaire, draft=draft
    )
    for _ in range(300):
        backtest = Backtest.objects.get(pk=backtest.pk)
        if backtest.finished_at is not None:
            break
        time.sleep(0.1)
    before = PolicyPack.objects.filter(name=draft.name).latest("pk")
    after = propose(caller=who["gwen"], draft_id=draft.pk)
    envelope = propose_envelope(
        caller=who["gwen"],
        new=NewEnvelope(
            system_id=case.system_id,
            environment="production",
            title="monthly retrains",
            why="A retrain on last month's rows changes little.",
            track="yellow",
            rules=["TR-020"],
            bounds=parse_bounds("performance.relative_change from -1 % to 2 % total 5 %\nrollout.flip_rate from 0 to 0.03"),
            until=timezone.now().date() + timedelta(days=90),
            most_uses=3,
            most_looks=5,
        ),
    )
    rule_on_envelope(
        caller=who["ruth"], envelope_id=envelope.pk, approve=True, why="Looked at twelve retrains.", proved_at=timezone.now()
    )
    now = timezone.now()
    freeze = propose_freeze(
        caller=who["gwen"],
        new=NewFreeze(
            unit_id=case.unit_id,
            title="end of year",
            why="Nobody is on call who could take a release back.",
            starts_at=now + timedelta(days=20),
            ends_at=now + timedelta(days=40),
            pass_role="risk_officer",
            pass_with="a fix for a live incident, with its number",
        ),
    )
    packs = {"before": before.pk, "after": after.pk, "freeze": freeze.pk}
    return {"conflict": conflict.pk, "draft": draft.pk, "backtest": backtest.pk, "envelope": envelope.pk, **packs}


def of_what_runs(people: Mapping[str, Person], case: Submission) -> dict[str, object]:
    """An approved version that went live: a team that depends on it was told, a monitor reported, an incident was opened."""
    who = callers(people)
    add_team(
        caller=who["pia"], system_id=case.system_id, name="Collections", uses="The limit, each night.", contact=people["mona"].pk
    )
    live = NewDeployment(system=case.system.slug, version=case.version.version, target="serving-eu-1", exposure=5)
    report_deployment(caller=who["pia"], unit_id=case.unit_id, new=live)
    signal = NewSignal(
        key="drift-1",
        system=case.system.slug,
        version=case.version.version,
        signal="drift",
        readings=(Reading("psi", 0.02, "tenure"), Reading("psi", 0.14, "utilisation"), Reading("psi", None, "bureau_score")),
        source="evidently",
        note="Nightly report over the last seven days.",
    )
    event, _ = report_signal(caller=who["pia"], unit_id=case.unit_id, new=signal)
    new = NewIncident(
        "failed_deployment",
        "high",
        "Scores are missing since noon",
        "A third of the calls answer without a score since 12:00.",
        "Applicants wait for a day.",
    )
    incident = open_incident(caller=who["pia"], submission_id=case.pk, new=new)
    note = ChangeNote.objects.filter(submission=case).latest("pk")
    return {"event": event.pk, "incident": incident.pk, "note": note.pk}


def resolved(people: Mapping[str, Person], incident: int) -> None:
    """Every step of the playbook was done but looking back; then how it ended."""
    who = callers(people)
    roles = {Role.SUBMITTER: "dana", Role.PLATFORM_ENGINEER: "pia", Role.ANALYST: "amir", Role.RISK_OFFICER: "ruth"}
    for step in Incident.objects.get(pk=incident).steps.exclude(part="learn"):
        caller = who[roles[Role(step.role)]]
        do_step(caller=caller, incident_id=incident, position=step.position, note="Done as the playbook says.")
    resolve(caller=who["pia"], incident_id=incident, how="The version before it runs again and answers every call.")


def more_exposure(people: Mapping[str, Person], case: Submission) -> dict[str, object]:
    """Its owner asks for more of the traffic, which waits for whoever grants that."""
    asked = request_exposure(
        caller=callers(people)["dana"],
        submission_id=case.pk,
        new=NewExposure(
            wanted=25,
            reason="At 5 % the offices see too few cases to compare the groups within a month.",
            monitoring_says="One feature drifted; the incident of that day is resolved. Two refusals of 140 were overturned.",
        ),
    )
    return {"exposure": asked.pk}


def of_the_organisation(people: Mapping[str, Person]) -> dict[str, object]:
    """A role that waits for its second person, and a receiver of events."""
    who = callers(people)
    asked = grant_role(
        caller=who["adm"],
        person_id=people["mona"].pk,
        role=Role.ANALYST,
        unit=people["mona"].unit,
        until=None,
        reason="Stands in while Amir is away.",
        proved_at=timezone.now(),
    )
    assert isinstance(asked, GrantRequest)
    hook, _ = add_endpoint(
        caller=who["adm"],
        unit=None,
        name="deployment board",
        url="https://hooks.example.org/guiderail",
        events=["submission.approved"],
        proved_at=timezone.now(),
    )
    return {"request": asked.pk, "hook": hook.pk}
