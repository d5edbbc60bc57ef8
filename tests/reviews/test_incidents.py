"""Incidents: opened by people, worked through by playbook with timers, resolved, closed by a post-mortem."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from governance.domain.errors import Conflict, Forbidden, InvalidInput
from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent, Person, Submission
from reviews.models import Finding, Incident, IncidentStep, Notification, PostMortem
from reviews.selectors.incidents import incidents
from reviews.selectors.playbooks import KINDS, playbook_for, read_playbook
from reviews.services import incidents as services
from reviews.services.deciding import decide
from reviews.services.escalating import escalate
from reviews.services.incidents import Corrective, NewIncident
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

NEW = NewIncident(
    "failed_deployment",
    "high",
    "Scores are missing since noon",
    "A third of the calls answer without a score since 12:00.",
    "Applicants wait for a day.",
    Decimal("1200.50"),
    "EUR",
)
CAUSES = "The new library rounds scores down to nothing, and no gate compares answers of the service itself."


@pytest.fixture
def people() -> dict[str, Person]:
    return making.everybody()


@pytest.fixture
def case(people: dict[str, Person]) -> Submission:
    row = making.in_review(Track.YELLOW, version="1.0")
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())
    return making.fresh(row)


def opened(people: dict[str, Person], case: Submission, new: NewIncident = NEW) -> Incident:
    return services.open_incident(caller=making.call(people["pia"]), submission_id=case.pk, new=new)


def done(people: dict[str, Person], row: Incident, *parts: str) -> None:
    who = {Role.SUBMITTER: "dana", Role.PLATFORM_ENGINEER: "pia", Role.ANALYST: "amir", Role.RISK_OFFICER: "ruth"}
    for step in row.steps.filter(part__in=parts):
        caller = making.call(people[who[Role(step.role)]])
        services.do_step(caller=caller, incident_id=row.pk, position=step.position, note="Done as the playbook says.")


def test_every_kind_has_one_playbook_with_owner_version_and_a_timer_for_each_notification() -> None:
    assert {kind: playbook_for(kind).name for kind in KINDS}["failed_deployment"] == "failed_deployment"
    for kind in KINDS:
        book = playbook_for(kind)
        assert book.version and book.owner and book.digest.startswith("sha256:")
        notify = [step for step in book.steps if step.part == "notify"]
        assert notify and all(step.within > timedelta(0) for step in book.steps)
        assert book.steps[0].part == "contain" and book.steps[-1].part == "learn"


@pytest.mark.parametrize("change", ["within: 3 weeks", "role: king", "part: wait"])
def test_a_playbook_with_a_mistake_does_not_load(change: str) -> None:
    step = {"part": "contain", "title": "t", "says": "s", "role": "analyst", "within": "3d"}
    name, value = change.split(": ")
    lines = "\n".join(f"    {key}: {val}" for key, val in {**step, name: value}.items())
    text = f"playbook: x\nversion: 2026.11.1\nowner: o\ntitle: t\nfor: [bias]\nwhen: w\nsteps:\n  -\n{lines}\n"
    with pytest.raises(ValueError, match=name):
        read_playbook(text, "x")


def test_opening_one_starts_the_playbook_and_tells_everybody_with_a_part_in_it(
    people: dict[str, Person], case: Submission
) -> None:
    row = opened(people, case)
    book = playbook_for("failed_deployment")
    assert (row.playbook, row.playbook_version, row.playbook_digest) == (book.name, book.version, book.digest)
    assert row.steps.count() == len(book.steps)
    first = row.steps.get(position=1)
    assert timedelta(minutes=14) < first.due_at - row.opened_at < timedelta(minutes=16)
    told = set(Notification.objects.filter(kind="incident").values_list("person__username", flat=True))
    assert told == {"dana", "amir", "ruth"}, "owner, analyst, risk officer; pia opened it herself"
    event = AuditEvent.objects.get(action="incident.opened")
    assert event.object == f"submission:{case.pk}" and "Scores" not in event.payload, "free text stays out of the chain"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "fire"}, "/kind"),
        ({"severity": "dire"}, "/severity"),
        ({"title": "x"}, "/title"),
        ({"says": ""}, "/says"),
        ({"loss": Decimal(-1)}, "/loss"),
        ({"currency": "euro"}, "/currency"),
        ({"loss": None}, "/loss"),
        ({"began_at": timezone.now() + timedelta(days=1)}, "/began_at"),
    ],
)
def test_what_does_not_say_enough_is_refused_by_field(
    people: dict[str, Person], case: Submission, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        opened(people, case, NewIncident(**{**vars(NEW), **change}))
    assert field in {error.pointer for error in refused.value.errors}
    assert not Incident.objects.exists()


def test_who_may_do_what(people: dict[str, Person], case: Submission) -> None:
    with pytest.raises(Forbidden):
        services.open_incident(caller=making.call(people["ada"]), submission_id=case.pk, new=NEW)
    row = opened(people, case)
    with pytest.raises(Forbidden, match="platform engineer"):
        services.do_step(caller=making.call(people["amir"]), incident_id=row.pk, position=1, note="I rolled it back.")
    with pytest.raises(Forbidden):
        services.add_note(caller=making.call(people["ada"]), incident_id=row.pk, says="I looked at it.")
    with pytest.raises(InvalidInput):
        services.do_step(caller=making.call(people["pia"]), incident_id=row.pk, position=1, note="ok")


def test_from_open_to_closed_with_corrective_actions_as_findings(people: dict[str, Person], case: Submission) -> None:
    row, pia = opened(people, case), making.call(people["pia"])
    with pytest.raises(Conflict, match="comes first"):
        services.resolve(caller=pia, incident_id=row.pk, how="It answers again since two.")
    done(people, row, "contain")
    services.resolve(caller=pia, incident_id=row.pk, how="It answers again since two.")
    action = Corrective("Compare answers of the service before the switch.", people["dana"].pk, timezone.now().date())
    given: dict[str, Any] = {"root_causes": CAUSES, "went_well": "", "gate": "GP101", "actions": [action]}
    with pytest.raises(Conflict, match="is open"):
        services.record_post_mortem(caller=pia, incident_id=row.pk, **given)
    done(people, row, "notify", "mend")
    for wrong in ({"root_causes": "human error"}, {"gate": "GX999"}, {"actions": []}, {"actions": [Corrective("x", 0, None)]}):
        with pytest.raises(InvalidInput):
            services.record_post_mortem(caller=pia, incident_id=row.pk, **{**given, **wrong})
    services.record_post_mortem(caller=pia, incident_id=row.pk, **given)
    row.refresh_from_db()
    finding = Finding.objects.get(about=f"incident:{row.number}")
    assert (row.state, finding.owner, finding.due_on, finding.severity) == ("closed", people["dana"], action.due_on, "high")
    assert PostMortem.objects.get().policy_digest == case.policy.digest  # type: ignore[union-attr]
    assert not row.steps.filter(done_at__isnull=True).exists()
    assert row.notes.order_by("id").values_list("what", flat=True)[0] == "opened"
    assert row.notes.order_by("-id").values_list("what", flat=True)[0] == "closed"
    with pytest.raises(Conflict, match="closed"):
        services.add_note(caller=pia, incident_id=row.pk, says="And it happened again.")
    for sql in ("UPDATE reviews_incident SET severity = 'low'", "UPDATE reviews_postmortem SET root_causes = 'nobody'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_the_database_keeps_the_order_of_states(people: dict[str, Person], case: Submission) -> None:
    row = opened(people, case)
    for sql in (
        "UPDATE reviews_incident SET state = 'closed', resolved_at = now(), closed_at = now()",
        "UPDATE reviews_incident SET title = 'nothing happened'",
        "UPDATE reviews_incidentstep SET due_at = now() + interval '1 year'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert Incident.objects.get(pk=row.pk).state == "open"


def test_an_overdue_step_goes_to_role_lead_and_risk_officer_once(people: dict[str, Person], case: Submission) -> None:
    row = opened(people, case)
    Notification.objects.all().delete()
    escalate()
    assert not Notification.objects.exists(), "nothing is near its time yet"
    lead = making.person("lena", Role.PRODUCT)
    Person.objects.filter(pk=people["pia"].pk).update(manager=lead)
    late = timezone.now() - timedelta(minutes=1)
    with connection.cursor() as cursor:  # time passes
        cursor.execute("ALTER TABLE reviews_incidentstep DISABLE TRIGGER incident_step_frozen")
        IncidentStep.objects.filter(incident=row, position=1).update(due_at=late)
        cursor.execute("ALTER TABLE reviews_incidentstep ENABLE TRIGGER incident_step_frozen")
    for _ in range(2):
        escalate()
    told = Notification.objects.filter(kind="incident").values_list("person__username", "key")
    assert {name for name, _ in told} == {"pia", "lena", "ruth"} and len(told) == 3
    assert AuditEvent.objects.filter(action="incident.step_overdue").count() == 1
    assert [r.overdue for r in incidents(making.call(people["pia"]), scope="late")[0]] == [1]


def browser(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_by_the_pages_alone(people: dict[str, Person], case: Submission) -> None:
    pia = browser(people["pia"])
    assert f"/submissions/{case.number}/incident" in pia.get(f"/submissions/{case.number}").content.decode()
    form = {"kind": "bias", "severity": "high", "title": "One group is refused twice as often", "says": NEW.says, "loss": "1,5"}
    assert "digits and a point" in pia.post(f"/submissions/{case.number}/incident", form).content.decode()
    answer = pia.post(f"/submissions/{case.number}/incident", {**form, "loss": "15000", "currency": "eur"})
    row = Incident.objects.get()
    assert answer["Location"] == f"/incidents/{row.pk}" and (row.loss, row.currency) == (Decimal("15000.00"), "EUR")
    text = pia.get(f"/incidents/{row.pk}").content.decode()
    for link in ("/lineage", f"/submissions/{case.number}/revoke", "/policies", "/incidents/playbooks#bias_finding"):
        assert link in text, link
    assert pia.post(f"/incidents/{row.pk}/steps/1", {"note": "ok"}).status_code == 422
    assert pia.post(f"/incidents/{row.pk}/steps/1", {"note": "Refusals go to people since 14:00."}).status_code == 302
    assess = {"what": "assess", "severity": "critical", "customer_impact": "80 people", "loss": "", "currency": ""}
    assert pia.post(f"/incidents/{row.pk}/change", assess).status_code == 302
    assert pia.post(f"/incidents/{row.pk}/change", {"what": "resolve", "how": "Thresholds are as before."}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.severity, row.loss) == ("resolved", "critical", None)
    assert "Hold the post-mortem" in pia.get(f"/incidents/{row.pk}").content.decode()
    assert pia.get(f"/incidents/{row.pk}/post-mortem").status_code == 200
    wrong = pia.post(f"/incidents/{row.pk}/post-mortem", {"root_causes": CAUSES})
    assert wrong.status_code == 422 and "at least one corrective action" in wrong.content.decode()
    assert row.number in pia.get("/incidents?scope=resolved").content.decode()
    assert "72 hours" in pia.get("/incidents/playbooks").content.decode()
    assert browser(people["ada"]).get(f"/incidents/{row.pk}").status_code == 200, "an auditor reads it"
    assert browser(making.person("gus", at=making.unit("shop"))).get(f"/incidents/{row.pk}").status_code == 404
