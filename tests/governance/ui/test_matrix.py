"""Every address × everybody: who is answered with what. A new URL without a row here fails the first test.

Rows are about two submissions of the lending unit: a draft of dana's, and a case of hers that is under review by the analyst.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from gates.models import Chart
from governance.domain.vocabulary import DecisionKind, EvidenceRole, Role, RunStatus, Track
from governance.models import (
    AuditEvent,
    Backtest,
    ChangeEnvelope,
    DataSource,
    FreezeWindow,
    Person,
    PolicyDraft,
    PolicyPack,
    RegisterChange,
    RuleConflict,
    Submission,
)
from governance.selectors.access import caller_for
from governance.services.drafts import attach_evidence, changing
from governance.ui.security_headers import POLICY
from reviews.models import (
    ChangeNote,
    Deployment,
    DownstreamTeam,
    Evaluation,
    ExposureRequest,
    Finding,
    Incident,
    IncidentStep,
    MonitoringEvent,
    Permit,
    Waiver,
    WebhookEndpoint,
)
from reviews.services.deciding import decide as decide_case
from reviews.services.decision_input import NewCondition, NewDecision
from tests.gates import making as gates_making
from tests.governance import making
from tests.governance.policy.test_exposure import PLAN
from tests.reviews import making as cases

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = {
    "dana": (Role.SUBMITTER,),
    "eli": (Role.SUBMITTER,),
    "pia": (Role.PLATFORM_ENGINEER,),
    "amir": (Role.ANALYST,),
    "ruth": (Role.RISK_OFFICER,),
    "ada": (Role.AUDITOR,),
    "gwen": (Role.POLICY_AUTHOR,),
    "adm": (Role.ADMIN,),
}
INSIDE = tuple(PEOPLE)
EVERYBODY = ("anonymous", "gus", *INSIDE)
"""`gus` is a data scientist of another unit."""


@dataclass(frozen=True)
class Row:
    """What a GET gives: anonymous, the other unit, the own unit; `but`: people who get something else. `about`: draft or case."""

    anonymous: int
    outside: int
    inside: int
    about: str = ""
    but: dict[str, int] = field(default_factory=dict)

    def expected(self, who: str) -> int:
        if who == "anonymous":
            return self.anonymous
        return self.outside if who == "gus" else self.but.get(who, self.inside)


def public() -> Row:
    return Row(200, 200, 200)


def page(about: str = "", **but: int) -> Row:
    """A page for whoever is signed in; about a submission, for its unit only."""
    return Row(302, 404 if about else 200, 200, about, but)


def only_post(about: str) -> Row:
    return Row(302, 405, 405, about)


def api(about: str = "") -> Row:
    return Row(401, 404 if about else 200, 200, about)


def api_only_post(about: str = "") -> Row:
    return Row(401, 405, 405, about)


def closed() -> Row:
    """An account page that does not exist here."""
    return Row(404, 404, 404)


def decide() -> Row:
    """The analyst's turn: nobody else is shown the form. 409 tells the unit whose turn it is."""
    return Row(302, 404, 409, "case", {"amir": 200})


ANSWERABLE = {"amir": 200, "ruth": 200, "ada": 200, "gwen": 200, "adm": 200}
"""Who answers for the policy, and so may try it on the past."""

GET = {
    "home": page(),
    "submissions": page(),
    "queue": page(),
    "queue_claim": only_post(""),
    "queue_load": page(),
    "inbox": page(),
    "inbox_read": only_post(""),
    "inbox_choices": page(),
    "waivers": page(),
    "waiver": page("waiver"),
    "waiver_sign": only_post("waiver"),
    "waiver_end": only_post("waiver"),
    "waiver_audit": only_post("waiver"),
    "waiver_new": Row(302, 404, 409, "stopped"),
    "authority": page(),
    "exposure_requests": page(),
    "exposure_request": page("asked"),
    "exposure_decide": only_post("asked"),
    "exposure_withdraw": only_post("asked"),
    "exposure_new": Row(302, 404, 403, "done", {"dana": 409}),
    "follow_up": page(),
    "findings": page(),
    "finding": page("finding"),
    "finding_new": Row(302, 404, 409, "case", {"pia": 200, "amir": 200, "ruth": 200}),
    "seen": only_post("case"),
    "measurements_csv": page("case"),
    "evaluation": page("done"),
    "condition": page("done"),
    "compliance": page(),
    "compliance_csv": page(),
    "controls": page(),
    "learn_index": page(),
    "course": page(),
    "lesson": page(),
    "lesson_quiz": page(),
    "lesson_records": page(),
    "lesson_records_csv": page(),
    "lesson_people": Row(302, 403, 403, "", {"ruth": 200, "ada": 200, "gwen": 200, "adm": 200}),
    "lesson_people_csv": Row(302, 403, 403, "", {"ruth": 200, "ada": 200, "gwen": 200, "adm": 200}),
    "glossary": page(),
    "roles": page(),
    "oversight": page(),
    "controls_csv": page(),
    "controls_markdown": page(),
    "controls_json": page(),
    "deployments": page(),
    "downstream": page("after"),
    "downstream_remove": only_post("after"),
    "change_note": page("after"),
    "outcomes": page(),
    "re_reviews": page(),
    "declared_value": page("after"),
    "monitoring": page(),
    "monitoring_event": page("after"),
    "incidents": page(),
    "playbooks": page(),
    "incident": page("after"),
    "incident_new": page("after", ada=403, gwen=403, adm=403),
    "incident_step": only_post("after"),
    "incident_change": only_post("after"),
    "incident_post_mortem": page("after", eli=403, ada=403, gwen=403, adm=403),
    "document": page("case"),
    "document_markdown": page("case"),
    "lineage": page("case"),
    "lineage_json": page("case"),
    "new_submission": page(),
    "draft_tasks": page("draft"),
    "draft_files": page("draft"),
    "draft_drop_file": page("draft"),
    "draft_evidence": page("draft"),
    "draft_drop_evidence": page("draft"),
    "draft_topic": page("draft"),
    "draft_live_track": only_post("draft"),
    "draft_interview_start": Row(302, 404, 302, "draft"),
    "draft_interview": page("draft"),
    "draft_advice": only_post("draft"),
    "draft_check": page("draft"),
    "draft_accept_all": only_post("draft"),
    "systems": page(),
    "registers": page(),
    "declared_uses": page(),
    "register": page(),
    "register_new": page(ada=403, adm=403),
    "register_import": page(ada=403, adm=403),
    "register_entry": page("source"),
    "register_entry_change": page("source", ada=403, adm=403),
    "register_change": page("source_change"),
    "system": page("case"),
    "policies": page(),
    "policy_versions": page(),
    "policy_version": page(),
    "policy_compare": Row(302, 404, 404),  # which two is not said
    "policy_drafts": page(),
    "policy_draft": page(),
    "policy_scenarios": Row(302, 403, 403, "", ANSWERABLE),
    "policy_backtest": Row(302, 403, 403, "", ANSWERABLE),
    "policy_backtest_cancel": only_post(""),
    "freezes": page(),
    "freeze_new": Row(302, 403, 403, "", {"gwen": 200, "ruth": 200, "pia": 200}),
    "freeze": Row(302, 404, 200),
    "freeze_pass": Row(302, 404, 403, "case", {"dana": 200, "pia": 200}),
    "envelopes": page(),
    "envelope": Row(302, 404, 200),
    "envelope_new": Row(302, 404, 403, "", {"gwen": 200}),
    "rule_conflicts": page(),
    "rule_conflict_new": Row(302, 404, 404),  # about what is not said
    "rule_conflict": Row(302, 404, 200),
    "what_if": page(),
    "learn_question": page(),
    "learn": page(),
    "audit": Row(302, 403, 403, "", {"amir": 200, "ruth": 200, "ada": 200, "adm": 200}),
    "audit_verify": only_post(""),
    "demo_sign_in": closed(),
    "gates": page(),
    "gate": page(),
    "chart_svg": page("case"),
    "chart_csv": page("case"),
    "submission_progress": page("case"),
    "evidence_pack": page("case"),
    "attest": page("case"),
    "columns": page("case"),
    "run_cancel": only_post("case"),
    "run_again": only_post("case"),
    "case": page("case"),
    "submit": Row(302, 302, 302, "case"),
    "revise": page("case"),
    "sign_off_record": page("done"),
    "threads": page("case"),
    "declare_conflict": Row(302, 404, 409, "case", {"pia": 200, "amir": 200, "ruth": 200}),
    "withdraw": Row(302, 404, 409, "case", {"dana": 200}),
    "recheck": Row(302, 404, 409, "case"),
    "revoke": Row(302, 404, 409, "case"),
    "claim": only_post("case"),
    "release": only_post("case"),
    "hand_over": decide(),
    "decide_approve": decide(),
    "decide_conditions": decide(),
    "decide_changes": decide(),
    "decide_reject": decide(),
    "schema": public(),
    "healthz": public(),
    "readyz": public(),
    "permit_keys": public(),
    "administration": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_person": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_tokens": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_trust": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_trust_end": Row(302, 405, 405),
    "connect": page(),
    "connect_api": page(),
    "api_oidc_token": Row(405, 405, 405),  # no token, an identity
    "administration_registries": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_registry_end": Row(302, 405, 405),
    "administration_registry_again": Row(302, 405, 405),
    "administration_deployment_gates": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_deployment_gate_end": Row(302, 405, 405),
    "administration_deployment_gate_again": Row(302, 405, 405),
    "api_export": api("case"),
    "api_facts": api("case"),
    "api_manifests": api_only_post(),
    "api_kubernetes_pipeline": api_only_post(),
    "api_mlflow_webhook": Row(405, 405, 405),  # no token, a signature
    "api_github_deployments": Row(405, 405, 405),  # no token, a signature
    "api_gitlab_deployments": Row(405, 405, 405),  # no token, a secret
    "administration_requests": Row(302, 403, 403, "", {"ruth": 200, "ada": 200, "adm": 200}),
    "administration_request": Row(302, 405, 405),
    "stand_ins": page(),
    "stand_in_end": Row(302, 405, 405),
    # an administrator is asked for a fresh sign-in first
    "administration_new_person": Row(302, 403, 403, "", {"adm": 302}),
    "administration_units": Row(302, 403, 403, "", {"adm": 302}),
    "administration_calendar": Row(302, 403, 403, "", {"adm": 302}),
    "administration_person_change": Row(302, 405, 405),
    "administration_token_revoke": Row(302, 405, 405),
    "administration_webhooks": Row(302, 403, 403, "", {"ada": 200, "adm": 200}),
    "administration_webhook": Row(302, 403, 403, "after", {"ada": 200, "adm": 200}),
    "administration_webhook_change": Row(302, 405, 405, "after"),
    "api_kubernetes": api_only_post(),
    "api_kubernetes_environment": api_only_post(),
    "api_attestation": Row(401, 404, 404),
    "api_evidence": api_only_post(),
    "api_evidence_file": Row(401, 404, 404),
    "api_register": api(),
    "api_register_entry": Row(401, 404, 200),
    "api_policy": api(),
    "api_backtests": api_only_post(),
    "api_backtest": Row(401, 403, 403, "", ANSWERABLE),
    "api_gates": api(),
    "api_gate": api(),
    "api_runs": api("case"),
    "api_run_cancel": api_only_post("case"),
    "api_run_again": api_only_post("case"),
    "api_submissions": api(),
    "api_preview": api_only_post(),
    "api_gate_preview": Row(401, 404, 404),  # nobody asked for this one
    "api_submission": api("case"),
    "api_verdict": api("case"),
    "api_answers": api_only_post("draft"),
    "api_submit": api_only_post("draft"),
    "api_revise": api_only_post("case"),
    "api_withdraw": api_only_post("case"),
    "api_decisions": api_only_post("case"),
    "api_permits": Row(401, 422, 422),
    "api_deployments": api(),
    "api_findings": api(),
    "api_finding": api("finding"),
    "api_finding_fix": api_only_post("finding"),
    "api_finding_verify": api_only_post("finding"),
    "api_finding_assign": api_only_post("finding"),
    "api_finding_new": api_only_post("case"),
    "api_threads": api("case"),
    "api_thread_answers": api_only_post("case"),
    "api_remark_drafts": api("case"),
    "api_remark_draft": api_only_post("case"),
    "api_remarks_publish": api_only_post("case"),
    "api_interests": api("case"),
    "api_claim": api_only_post("case"),
    "api_release": api_only_post("case"),
    "api_hand_over": api_only_post("case"),
    "api_queue": api(),
    "api_waiver_new": api_only_post("case"),
    "api_waivers": api(),
    "api_waiver": api("waiver"),
    "api_waiver_end": api_only_post("waiver"),
    "api_waiver_audit": api_only_post("waiver"),
    "api_conditions": api(),
    "api_condition_met": api_only_post("done"),
    "api_evaluation": api_only_post("done"),
    "api_inbox": api(),
    "api_inbox_read": api_only_post(),
    "api_rule_conflicts": api(),
    "api_rule_conflict": Row(401, 404, 200),
    "api_precedents": api(),
    "api_grants": Row(401, 403, 403, "", {"ada": 200, "adm": 200}),
    "api_grant_end": api_only_post(),
    "api_grant_requests": Row(401, 403, 403, "", {"ruth": 200, "ada": 200, "adm": 200}),
    "api_stand_ins": api(),
    "api_stand_in_end": api_only_post(),
    "api_monitoring_events": api(),
    "api_monitoring_series": Row(401, 422, 422),
    "api_rollback": api_only_post("done"),
    "api_submission_exposure": api_only_post("done"),
    "api_exposure_requests": api(),
    "api_exposure_request": api("asked"),
    "api_exposure_decision": api_only_post("asked"),
    "api_exposure_withdraw": api_only_post("asked"),
    "account_login": Row(200, 302, 302),
    "account_logout": page(),
    "account_reauthenticate": page(),
    "account_change_password": page(),
    "account_inactive": public(),
    "account_signup": closed(),
    "account_email": closed(),
    "account_email_verification_sent": closed(),
    "account_set_password": closed(),
    "account_reset_password": closed(),
    "account_reset_password_done": closed(),
    "account_reset_password_from_key": closed(),
    "account_reset_password_from_key_done": closed(),
    "account_confirm_login_code": closed(),
    "account_confirm_email": closed(),
}

# what a POST gives to the other unit (gus) and to a colleague who neither submitted nor reviews (eli);
# None: open to every submitter
POST: dict[str, tuple[int, int] | None] = {
    "new_submission": None,
    "what_if": None,
    "policy_drafts": (403, 403),
    "policy_draft": (422, 422),  # it does not say what to do
    "policy_scenarios": (403, 403),
    "policy_backtest_cancel": (403, 403),
    "freeze_new": (403, 403),
    "freeze": (404, 422),
    "freeze_pass": (404, 403),
    "envelope": (404, 422),
    "envelope_new": (404, 403),
    "rule_conflict_new": (404, 404),
    "rule_conflict": (404, 403),
    "api_backtests": (403, 403),
    "register_new": (422, 422),
    "register_import": (422, 422),
    "register_entry_change": (404, 422),
    "register_change": (404, 403),
    "draft_files": (404, 403),
    "draft_drop_file": (404, 403),
    "draft_evidence": (404, 403),
    "draft_drop_evidence": (404, 403),
    "draft_topic": (404, 403),
    "draft_live_track": (404, 200),
    "draft_interview": (404, 403),
    "draft_advice": (404, 404),
    "draft_accept_all": (404, 403),
    "audit_verify": (403, 403),
    "submit": (404, 409),
    "revise": (404, 422),
    "threads": (404, 422),
    "declare_conflict": (404, 409),
    "withdraw": (404, 409),
    "recheck": (404, 409),
    "run_cancel": (404, 409),
    "run_again": (404, 409),
    "revoke": (404, 409),
    "claim": (404, 403),
    "hand_over": (404, 409),
    "seen": (404, 404),  # no section was named
    "finding_new": (404, 409),
    "finding": (404, 422),
    "release": (404, 302),
    "decide_approve": (404, 409),
    "decide_conditions": (404, 409),
    "decide_changes": (404, 409),
    "decide_reject": (404, 409),
    "api_evidence": None,
    "api_submissions": None,
    "api_preview": None,
    "api_kubernetes": None,
    "api_manifests": None,
    "api_kubernetes_pipeline": None,
    "api_kubernetes_environment": None,
    "administration_new_person": (403, 403),
    "administration_person_change": (403, 403),
    "administration_request": (403, 403),
    "stand_ins": None,
    "stand_in_end": (404, 404),
    "administration_tokens": (403, 403),
    "administration_trust": (403, 403),
    "administration_trust_end": (403, 403),
    "administration_registries": (403, 403),
    "administration_registry_end": (403, 403),
    "administration_registry_again": (403, 403),
    "administration_deployment_gates": (403, 403),
    "administration_deployment_gate_end": (403, 403),
    "administration_deployment_gate_again": (403, 403),
    "administration_token_revoke": (403, 403),
    "administration_webhooks": (403, 403),
    "administration_webhook_change": (403, 403),
    "administration_units": (403, 403),
    "administration_calendar": (403, 403),
    "api_submit": (404, 403),
    "api_revise": (404, 409),
    "api_withdraw": (404, 403),
    "api_run_cancel": (404, 409),
    "api_run_again": (404, 409),
    "api_decisions": (404, 403),
    "api_deployments": (403, 403),
    "api_finding_fix": (404, 409),
    "api_finding_verify": (404, 409),
    "api_finding_assign": (404, 403),
    "api_finding_new": (404, 403),
    "api_threads": (404, 403),
    "api_thread_answers": (404, 404),
    "api_remarks_publish": (404, 422),
    "api_interests": (404, 403),
    "api_claim": (404, 403),
    "api_hand_over": (404, 403),
    "api_waiver_new": (404, 403),
    "api_waiver_end": (404, 409),
    "api_waiver_audit": (404, 409),
    "api_condition_met": (404, 403),
    "api_evaluation": (404, 403),
    "api_rule_conflicts": (422, 422),
    "api_grants": (403, 403),
    "api_grant_end": (403, 403),
    "api_stand_in_end": (404, 404),
    "api_inbox_read": None,
    "api_monitoring_events": (422, 422),
    "api_rollback": (404, 403),
    "api_submission_exposure": (404, 403),
    "api_exposure_decision": (404, 403),
    "api_exposure_withdraw": (404, 403),
    "exposure_decide": (404, 403),
    "exposure_withdraw": (404, 403),
    "exposure_new": (404, 403),
    "inbox_read": None,
    "inbox_choices": None,
    "waiver_new": (404, 409),
    "waiver_sign": (404, 403),
    "waiver_end": (404, 422),
    "waiver_audit": (404, 422),
    "evaluation": (404, 422),
    "condition": (404, 422),
    "downstream": (404, 403),
    "downstream_remove": (404, 403),
    "change_note": (404, 403),
    "incident_new": (404, 422),
    "declared_value": (404, 403),
    "incident_step": (404, 422),
    "incident_change": (404, 422),
    "incident_post_mortem": (404, 403),
    "account_login": None,
    "account_logout": None,
    "account_reauthenticate": None,
    "account_change_password": None,
}

WORDS = {
    "api_gate_preview": {"pk": "7d444840-9dc0-11d1-b245-5ffdce74fad2"},
    "learn_question": {"name": "decision.domain"},
    "learn": {"slug": "high-risk-decisions"},
    "course": {"role": "analyst"},
    "lesson": {"name": "fairness"},
    "lesson_quiz": {"name": "fairness"},
    "administration_calendar": {"slug": "lending"},
    "gate": {"code": "GF101"},
    "api_gate": {"code": "GF101"},
    "api_policy": {"pack": "ml_model"},
    "api_backtests": {"pack": "ml_model"},
    "register": {"register": "vendors"},
    "register_new": {"register": "architectures"},
    "register_import": {"register": "regions"},
    "api_register": {"register": "vendors"},
    "api_register_entry": {"register": "sources", "name": "s3://lake/matrix/"},
    "demo_sign_in": {"signed": "made-up"},
    "api_kubernetes_environment": {"environment": "staging"},
    "api_mlflow_webhook": {"server": "main"},
    "api_attestation": {"pk": "00000000-0000-4000-8000-000000000000"},
    "api_evidence_file": {"sha256": "0" * 64},
    "account_reset_password_from_key": {"uidb36": "1", "key": "x"},
    "account_confirm_email": {"key": "x"},
}


def policy_draft(world: World) -> int:
    gwen = world.people["gwen"]
    return PolicyDraft.objects.get_or_create(name="ml_model", kind="ml_model", why="Tests.", source="x", author=gwen)[0].pk


def backtest(world: World) -> int:
    return Backtest.objects.get_or_create(name="ml_model", digest="sha256:0", asked_by=world.people["gwen"])[0].pk


def envelope(world: World) -> int:
    given = {"title": "Retrains", "why": "Small.", "track": "green", "rules": ["TR-020"], "bounds": [], "until": date(2030, 1, 1)}
    found = ChangeEnvelope.objects.get_or_create(
        unit_id=world.case.unit_id,
        system_id=world.case.system_id,
        environment="production",
        proposed_by=world.people["gwen"],
        defaults={**given, "most_uses": 1, "most_looks": 1},
    )
    return found[0].pk


def freeze(world: World) -> int:
    now = timezone.now()
    given = {"title": "end of year", "why": "Nobody is on call.", "pass_role": "risk_officer", "pass_with": "a fix"}
    found = FreezeWindow.objects.get_or_create(
        unit_id=world.case.unit_id,
        proposed_by=world.people["gwen"],
        defaults={**given, "starts_at": now, "ends_at": now + timedelta(days=2)},
    )
    return found[0].pk


def rule_conflict(world: World) -> int:
    dana = world.people["dana"]
    given = {"unit_id": world.case.unit_id, "pack": "ml_model", "about": "TR-050", "asked_by": dana}
    return RuleConflict.objects.get_or_create(**given, defaults={"workload": "Tickets.", "why": "Pseudonymised."})[0].pk


ENDED = ("administration_registry_", "administration_trust_", "administration_deployment_gate_")

POLICY_ROWS: dict[str, Callable[[World], int]] = {
    "policy_version": lambda world: PolicyPack.objects.order_by("pk").values_list("pk", flat=True)[0],
    "policy_draft": policy_draft,
    "policy_backtest": backtest,
    "policy_backtest_cancel": backtest,
    "api_backtest": backtest,
    "freeze": freeze,
    "envelope": envelope,
    "envelope_new": lambda world: world.case.system_id,
    "rule_conflict": rule_conflict,
    "api_rule_conflict": rule_conflict,
}


@dataclass
class World:
    draft: Submission
    case: Submission
    chart: Chart
    people: dict[str, Person]
    stopped: Submission
    done: Submission

    def address(self, name: str) -> str:
        row = GET[name]
        if "register" in name:
            registered = self.registered()
        if name in WORDS:
            return reverse(name, kwargs=WORDS[name])
        if name.startswith("chart_"):
            return reverse(name, args=[self.chart.pk])
        if row.about == "source":
            return reverse(name, args=["sources", registered[0]])
        if row.about == "source_change":
            return reverse(name, args=[registered[1]])
        if name in POLICY_ROWS:
            return reverse(name, args=[POLICY_ROWS[name](self)])
        if row.about == "waiver":
            return reverse(name, args=[self.stopped.waivers.get().pk])
        if row.about == "asked":
            return reverse(name, args=[self.done.exposure_requests.get().pk])
        if name in ("exposure_new", "api_submission_exposure"):
            return reverse(name, args=[self.done.pk])
        if name == "waiver_new":
            return reverse(name, args=[self.stopped.pk, "GF101"])
        if row.about == "after":
            return reverse(name, args=after_release(name, self.done))
        if name in ("condition", "api_condition_met"):
            return reverse(name, args=[self.done.conditions.get().pk])
        if name == "api_rollback":
            return reverse(name, args=[Deployment.objects.get().pk])
        if name == "sign_off_record":
            return reverse(name, args=[self.done.pk, self.done.sign_offs.order_by("id").values_list("pk", flat=True)[0]])
        if name in ("administration_request", "stand_in_end", "api_grant_end", "api_stand_in_end"):
            return reverse(name, args=[1])
        if name in ("evaluation", "api_evaluation"):
            return reverse(name, args=[self.done.pk])
        if name in ("administration_person", "administration_person_change"):
            return reverse(name, args=[self.people["dana"].pk])
        if name == "administration_token_revoke" or name.startswith(ENDED):
            return reverse(name, args=[1])
        if name == "system":
            return reverse(name, args=[self.case.system_id])
        if row.about == "finding":
            return reverse(name, args=[Finding.objects.filter(submission=self.case).get().pk])
        about = {"draft": self.draft, "case": self.case}.get(row.about)
        more: list[Any] = {
            "draft_drop_file": [self.draft.sources.order_by("id").values_list("pk", flat=True).first()],
            "draft_drop_evidence": ["candidate_predictions"],
            "draft_topic": ["use"],
            "document": ["model-card"],
            "document_markdown": ["model-card"],
            "measurements_csv": [self.case.outcomes.values_list("code", flat=True)[0]],
            "run_cancel": ["performance"],
            "run_again": ["performance"],
            "api_run_cancel": ["performance"],
            "api_run_again": ["performance"],
            "api_thread_answers": [1],
            "api_remark_draft": [1],
            "draft_live_track": ["use"],
            "draft_interview": ["decision.automated"],
        }.get(name, [])
        return reverse(name, args=[about.pk, *more] if about else [])

    def registered(self) -> tuple[int, int]:
        """An entry of the register of data sources, and a proposal that waits."""
        unit, name = self.case.unit, "s3://lake/matrix/"
        row = DataSource.objects.get_or_create(unit=unit, name=name, defaults={"owner": "lake", "approved": True})[0]
        told = {"values": {"region": "eu"}, "why": "It moved.", "origin": "page", "proposed_by": self.people["dana"]}
        return row.pk, RegisterChange.objects.get_or_create(unit=unit, name=name, defaults=told)[0].pk

    def client(self, who: str, **options: Any) -> Client:
        client: Client = making.browser(self.people.get(who), raise_request_exception=False, **options)
        return client


def stopped_case(people: dict[str, Person]) -> Submission:
    """A case of dana's that stands at a failed gate, with a waiver asked for."""
    row = cases.in_checks(gates=(cases.Gate("GF101", "fail", says="too low"),), submitter=people["dana"])
    Submission.objects.filter(pk=row.pk).update(state="checks_failed", turn="submitter")
    now = timezone.now()
    Waiver.objects.create(
        unit=row.unit, submission=row, revision=1, gate="GF101", says="too low", risk="r", reason="w", compensating_control="c",
        owner=people["dana"], requested_by=people["dana"], expires_at=now + timedelta(days=20), stands_in="product",
        audit_owner=people["ada"], audit_due_on=(now + timedelta(days=5)).date(), policy_digest="sha256:p",
    )  # fmt: skip
    return row


def after_release(name: str, row: Submission) -> list[int]:
    """What the addresses of what follows a release take."""
    return {
        "downstream": [row.system_id],
        "incident_new": [row.pk],
        "declared_value": [row.pk],
        "downstream_remove": list(DownstreamTeam.objects.values_list("pk", flat=True)),
        "change_note": [note.pk for note in row.change_notes.all()],
        "monitoring_event": [event.pk for event in row.monitoring_events.all()],
        "incident_step": [*row.incidents.values_list("pk", flat=True), 1],
        "administration_webhook": list(WebhookEndpoint.objects.values_list("pk", flat=True)),
        "administration_webhook_change": list(WebhookEndpoint.objects.values_list("pk", flat=True)),
    }.get(name) or [incident.pk for incident in row.incidents.all()]


def released(row: Submission, people: dict[str, Person]) -> None:
    """What follows a release: a report, an incident, a team that was told, a webhook."""
    now, live = timezone.now(), Deployment.objects.get()
    event = MonitoringEvent.objects.create(
        unit=row.unit, system=row.system, version=row.version, environment="production", submission=row, deployment=live, key="k",
        content_digest="d", signal="drift", at=now, verdict="within", reported_by=people["dana"],
    )  # fmt: skip
    incident = Incident.objects.create(
        unit=row.unit, system=row.system, version=row.version, submission=row, event=event, kind="other", severity="low",
        title="t", says="s", playbook="degradation", playbook_version="1", playbook_digest="d", opened_by=people["dana"],
        began_at=now,
    )  # fmt: skip
    IncidentStep.objects.create(
        incident=incident, position=1, part="contain", title="t", says="s", role="platform_engineer", due_at=now
    )
    team = DownstreamTeam.objects.create(
        unit=row.unit, system=row.system, name="n", contact=people["pia"], added_by=people["pia"]
    )
    ChangeNote.objects.create(unit=row.unit, team=team, submission=row, what="approved", says="s")
    WebhookEndpoint.objects.create(
        unit=row.unit, name="n", url="https://example.org", secret=b"s", seen_seq=0, created_by=people["adm"]
    )


def done_case(people: dict[str, Person]) -> Submission:
    """A case of dana's that was approved with a condition, and its deployment."""
    row = cases.in_review(Track.YELLOW, submitter=people["dana"])
    due = timezone.now().date() + timedelta(days=5)
    condition = NewCondition("Watch the smallest group.", people["dana"].pk, due)
    approval = NewDecision(DecisionKind.APPROVE_WITH_CONDITIONS, conditions=(condition,))
    decide_case(caller=caller_for(people["pia"]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=approval)
    Evaluation.objects.create(unit=row.unit, submission=row, owner=people["dana"], due_on=due)
    Deployment.objects.create(
        unit=row.unit, system=row.system.slug, version_name="1", version=row.version, environment="production", observed=True,
        reported_by=people["pia"],
    )  # fmt: skip
    released(row, people)
    ExposureRequest.objects.create(
        unit=row.unit, submission=row, permit=Permit.objects.get(submission=row), present=25, wanted=100, reason="r",
        monitoring_says="m", role="platform_engineer", policy_digest="sha256:p", shown={}, shown_digest="sha256:s",
        requested_by=people["dana"],
    )  # fmt: skip
    return row


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(cases.PACK, "exposure", PLAN)
    # the shipped pack is the one in force; one case keeps the small one it was judged by
    cases.policy()
    making.policy()
    people = {name: making.person(name, *roles) for name, roles in PEOPLE.items()}
    people["gus"] = making.person("gus", of=making.unit("shop"))
    case = cases.in_review(submitter=people["dana"])
    Finding.objects.create(submission=case, revision=1, about="GP101", severity="low", says="It fell.")
    run = gates_making.run(case, "performance", status=RunStatus.DONE)
    chart = Chart.objects.create(
        run=run,
        submission=case,
        key="roc",
        title="ROC",
        description="d",
        svg_light="<svg xmlns='http://www.w3.org/2000/svg'/>",
        svg_dark="<svg xmlns='http://www.w3.org/2000/svg'/>",
        columns=["a"],
        rows=[[1]],
    )
    content = b"id,label\n1,0\n"
    file = making.stored(content)
    given = making.new("1.0.0", sources=[making.source(), making.source(making.RUN)])
    draft = making.opened(given)
    with changing(caller_for(people["dana"]), draft.pk) as (work, row):
        attach_evidence(work, row, making.evidence_of(EvidenceRole.CANDIDATE_PREDICTIONS, file))
    return World(draft, case, chart, people, stopped_case(people), done_case(people))


def routes(resolver: Any = None) -> Iterator[str]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry)
        else:
            yield entry.name or str(entry.pattern)


def test_every_url_has_its_row() -> None:
    """Write a row for a new URL: who may see it, and who is told that it does not exist."""
    found = {name for name in routes() if not name.startswith("_gallery")}
    assert found == set(GET), {"without a row": found - set(GET), "gone": set(GET) - found}
    assert set(POST) <= set(GET)


@pytest.mark.parametrize("who", EVERYBODY)
def test_what_each_person_is_shown(world: World, who: str, broker: object) -> None:
    client, wrong = world.client(who), {}
    for name, row in GET.items():
        where = world.address(name)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(where)
        if name == "demo_sign_in":
            continue
        if answer.status_code != row.expected(who):
            wrong[name] = (answer.status_code, row.expected(who))
        written = [q["sql"] for q in queries if writes(q["sql"])]
        assert not written, (name, written)
        headers_are_strict(name, answer)
    assert not wrong, f"{who}: (is, should be) {wrong}"


def writes(sql: str) -> bool:
    """Whether a statement changes the record; sessions and the note of a token's last use are not the record."""
    words = sql.lstrip().split(" ", 3)
    return (
        words[0].upper() in ("INSERT", "UPDATE", "DELETE") and "django_session" not in sql and "AUDIT_APPEND" not in sql.upper()
    )


def headers_are_strict(name: str, answer: Any) -> None:
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    if name == "chart_svg" and answer.status_code == 200:  # a picture carries its own, in a sandbox without scripts
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'") and policy.endswith("sandbox")
    else:
        assert policy == POLICY, name
    assert headers["X-Content-Type-Options"] == "nosniff", name
    assert headers["X-Frame-Options"] == "DENY", name
    assert headers["Referrer-Policy"] == "same-origin", name
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", name
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin", name
    assert headers["X-Request-ID"], name
    if answer.get("Content-Type", "").startswith("text/html"):
        text = answer.content.decode()
        for forbidden in ("<script>", " style=", " onclick=", "javascript:", "<style"):
            assert forbidden not in text, (name, forbidden)


def people_bodies() -> dict[str, Any]:
    """Bodies that would do for somebody who may."""
    day, words = (timezone.now() + timedelta(days=9)).date().isoformat(), "A sentence that says enough to be taken."
    waiver = {"reason": words, "compensating_control": words, "owner": "pia", "audit_owner": "ada", "read_risk": True}
    return {
        "api_finding_fix": {"remediation": "Too", "evidence": "short"},
        "api_finding_verify": {"result": "good", "why": words},
        "api_finding_assign": {"owner": "pia"},
        "api_finding_new": {"about": "x", "severity": "low", "says": words, "fix": words, "owner": "pia"},
        "api_threads": {"about_kind": "gate", "about": "GP101", "text": words},
        "api_thread_answers": {"text": words},
        "api_interests": {"why": words},
        "api_hand_over": {"to": "amir", "note": words},
        "api_waiver_new": {**waiver, "gate": "GF101", "expires_on": day, "audit_due_on": day},
        "api_waiver_end": {"how": "revoked", "reason": words},
        "api_waiver_audit": {"held": True, "found": words, "evidence": words},
        "api_condition_met": {"evidence": words},
        "api_evaluation": {"result": "worse", "found": words, "evidence": words},
        "api_grants": {"person": "dana", "role": "auditor", "unit": "lending", "reason": words},
    }


def send(world: World, client: Client, name: str) -> Any:
    where = world.address(name)
    if name.startswith("api_") and name != "api_evidence":
        bodies: dict[str, Any] = {
            "api_answers": {"answers": {"impact.financial": "low"}},
            "api_rollback": {"reason": "It answers far too slowly."},
            "api_submission_exposure": {"exposure": 100},
            "api_exposure_decision": {"grant": True, "seen": "sha256:s"},
            "api_decisions": {"decision": "approve", "dossier_digest": world.case.dossier_digest},
            **people_bodies(),
        }
        return client.post(where, json.dumps(bodies.get(name, {})), content_type="application/json")
    forms: dict[str, dict[str, Any]] = {
        "draft_files": {"files": SimpleUploadedFile("a.json", b"{}")},
        "draft_evidence": {"role": "document", "file": SimpleUploadedFile("a.txt", b"x")},
        "draft_topic": {"impact.financial": "low", "decision.automated": "true"},
        "withdraw": {"reason": "x"},
    }
    return client.post(where, forms.get(name, {}))


def test_posting_for_another_unit_and_for_a_colleague(world: World, broker: object) -> None:
    before = {row.pk: (row.state, row.updated_at) for row in Submission.objects.all()}
    events = AuditEvent.objects.count()
    wrong = {}
    for name, expected in POST.items():
        if expected is None:
            continue
        got = tuple(send(world, world.client(who), name).status_code for who in ("gus", "eli"))
        if got != expected:
            wrong[name] = (got, expected)
    assert not wrong, f"(is, should be) for gus and eli: {wrong}"
    patched = [
        world.client(who)
        .patch(world.address("api_answers"), json.dumps({"answers": {"impact.financial": "low"}}), "application/json")
        .status_code
        for who in ("gus", "eli")
    ]
    assert patched == [404, 403]
    assert {row.pk: (row.state, row.updated_at) for row in Submission.objects.all()} == before
    assert AuditEvent.objects.count() == events, "nothing was changed by any of it"


def test_posting_without_signing_in_and_without_the_form_token(world: World, broker: object) -> None:
    events = AuditEvent.objects.count()
    for name in POST:
        if name.startswith("account_"):
            continue
        anonymous = send(world, world.client("anonymous"), name).status_code
        assert anonymous == (401 if name.startswith("api_") else 302), name
        forged = send(world, world.client("dana", enforce_csrf_checks=True), name).status_code
        assert forged == 403, name
    assert AuditEvent.objects.count() == events
    assert world.draft.sources.count() == 2


def test_what_is_refused_on_get_only_is_not_open_by_another_method(world: World) -> None:
    """A colleague's PUT, PATCH and DELETE reach nothing."""
    client = world.client("eli")
    for name, row in GET.items():
        if row.about and not name.startswith("api_"):
            for method in ("put", "delete"):
                status = getattr(client, method)(world.address(name)).status_code
                assert status in (302, 403, 404, 405, 409), (name, method, status)
    assert Submission.objects.get(pk=world.draft.pk).state == "draft"
