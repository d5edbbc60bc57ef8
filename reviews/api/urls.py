"""URLs of the reviews API."""

from django.urls import URLPattern, URLResolver, path, re_path

from reviews.api.backtests import BacktestsView, BacktestView
from reviews.api.decisions import DecisionsView
from reviews.api.deployment_gates import GitHubDeploymentsView, GitLabDeploymentsView
from reviews.api.deployments import DeploymentsView, RollbackView
from reviews.api.exports import ExportView
from reviews.api.exposure import (
    ExposureDecisionView,
    ExposureRequestsView,
    ExposureRequestView,
    ExposureWithdrawView,
    SubmissionExposureView,
)
from reviews.api.facts import FactsView
from reviews.api.finding_moves import AssignFindingView, FindingView, FixFindingView, RaiseFindingView, VerifyFindingView
from reviews.api.findings import FindingsView
from reviews.api.follow_up import ConditionsView, EvaluationView, MeetConditionView
from reviews.api.gate_previews import GatePreviewView
from reviews.api.grants import EndGrantView, EndStandInView, GrantRequestsView, GrantsView, StandInsView
from reviews.api.inbox import InboxReadView, InboxView
from reviews.api.interests import InterestsView
from reviews.api.kubernetes import KubernetesEnvironmentView, KubernetesView
from reviews.api.manifests import ManifestView, PipelineAdmissionView
from reviews.api.mlflow import MLflowWebhookView
from reviews.api.monitoring import MonitoringEventsView, MonitoringSeriesView
from reviews.api.permits import AttestationView, PermitsView
from reviews.api.queue import ClaimView, HandOverView, QueueView, ReleaseView
from reviews.api.rule_conflicts import PrecedentsView, RuleConflictsView, RuleConflictView
from reviews.api.submissions import (
    AnswersView,
    PreviewView,
    ReviseView,
    SubmissionsView,
    SubmissionView,
    SubmitView,
    WithdrawView,
)
from reviews.api.threads import (
    PublishRemarksView,
    RemarkDraftsView,
    RemarkDraftView,
    ThreadAnswersView,
    ThreadsView,
)
from reviews.api.verdicts import VerdictView
from reviews.api.waivers import AuditWaiverView, EndWaiverView, RequestWaiverView, WaiversView, WaiverView

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/submissions", SubmissionsView.as_view(), name="api_submissions"),
    path("api/v1/preview", PreviewView.as_view(), name="api_preview"),
    path("api/v1/preview/<uuid:pk>", GatePreviewView.as_view(), name="api_gate_preview"),
    path("api/v1/submissions/<snum:pk>", SubmissionView.as_view(), name="api_submission"),
    path("api/v1/submissions/<snum:pk>/verdict", VerdictView.as_view(), name="api_verdict"),
    path("api/v1/submissions/<snum:pk>/answers", AnswersView.as_view(), name="api_answers"),
    path("api/v1/submissions/<snum:pk>/submit", SubmitView.as_view(), name="api_submit"),
    path("api/v1/submissions/<snum:pk>/revise", ReviseView.as_view(), name="api_revise"),
    path("api/v1/submissions/<snum:pk>/withdraw", WithdrawView.as_view(), name="api_withdraw"),
    path("api/v1/submissions/<snum:pk>/decisions", DecisionsView.as_view(), name="api_decisions"),
    path("api/v1/deployments", DeploymentsView.as_view(), name="api_deployments"),
    path("api/v1/deployments/<int:pk>/rollback", RollbackView.as_view(), name="api_rollback"),
    path("api/v1/submissions/<snum:pk>/exposure-requests", SubmissionExposureView.as_view(), name="api_submission_exposure"),
    path("api/v1/exposure-requests", ExposureRequestsView.as_view(), name="api_exposure_requests"),
    path("api/v1/exposure-requests/<int:pk>", ExposureRequestView.as_view(), name="api_exposure_request"),
    path("api/v1/exposure-requests/<int:pk>/decision", ExposureDecisionView.as_view(), name="api_exposure_decision"),
    path("api/v1/exposure-requests/<int:pk>/withdraw", ExposureWithdrawView.as_view(), name="api_exposure_withdraw"),
    path("api/v1/findings", FindingsView.as_view(), name="api_findings"),
    path("api/v1/findings/<int:pk>", FindingView.as_view(), name="api_finding"),
    path("api/v1/findings/<int:pk>/fix", FixFindingView.as_view(), name="api_finding_fix"),
    path("api/v1/findings/<int:pk>/verify", VerifyFindingView.as_view(), name="api_finding_verify"),
    path("api/v1/findings/<int:pk>/assign", AssignFindingView.as_view(), name="api_finding_assign"),
    path("api/v1/submissions/<snum:pk>/findings", RaiseFindingView.as_view(), name="api_finding_new"),
    path("api/v1/submissions/<snum:pk>/threads", ThreadsView.as_view(), name="api_threads"),
    path("api/v1/submissions/<snum:pk>/threads/<int:thread>/answers", ThreadAnswersView.as_view(), name="api_thread_answers"),
    path("api/v1/submissions/<snum:pk>/remarks/drafts", RemarkDraftsView.as_view(), name="api_remark_drafts"),
    path("api/v1/submissions/<snum:pk>/remarks/drafts/<int:draft>", RemarkDraftView.as_view(), name="api_remark_draft"),
    path("api/v1/submissions/<snum:pk>/remarks/publish", PublishRemarksView.as_view(), name="api_remarks_publish"),
    path("api/v1/submissions/<snum:pk>/conflicts-of-interest", InterestsView.as_view(), name="api_interests"),
    path("api/v1/submissions/<snum:pk>/claim", ClaimView.as_view(), name="api_claim"),
    path("api/v1/submissions/<snum:pk>/release", ReleaseView.as_view(), name="api_release"),
    path("api/v1/submissions/<snum:pk>/hand-over", HandOverView.as_view(), name="api_hand_over"),
    path("api/v1/queue", QueueView.as_view(), name="api_queue"),
    path("api/v1/submissions/<snum:pk>/waivers", RequestWaiverView.as_view(), name="api_waiver_new"),
    path("api/v1/waivers", WaiversView.as_view(), name="api_waivers"),
    path("api/v1/waivers/<int:pk>", WaiverView.as_view(), name="api_waiver"),
    path("api/v1/waivers/<int:pk>/end", EndWaiverView.as_view(), name="api_waiver_end"),
    path("api/v1/waivers/<int:pk>/audit", AuditWaiverView.as_view(), name="api_waiver_audit"),
    path("api/v1/conditions", ConditionsView.as_view(), name="api_conditions"),
    path("api/v1/conditions/<int:pk>/met", MeetConditionView.as_view(), name="api_condition_met"),
    path("api/v1/submissions/<snum:pk>/evaluation", EvaluationView.as_view(), name="api_evaluation"),
    path("api/v1/inbox", InboxView.as_view(), name="api_inbox"),
    path("api/v1/inbox/read", InboxReadView.as_view(), name="api_inbox_read"),
    path("api/v1/rule-conflicts", RuleConflictsView.as_view(), name="api_rule_conflicts"),
    path("api/v1/rule-conflicts/<int:pk>", RuleConflictView.as_view(), name="api_rule_conflict"),
    path("api/v1/precedents", PrecedentsView.as_view(), name="api_precedents"),
    path("api/v1/grants", GrantsView.as_view(), name="api_grants"),
    path("api/v1/grants/<int:pk>/end", EndGrantView.as_view(), name="api_grant_end"),
    path("api/v1/grants/requests", GrantRequestsView.as_view(), name="api_grant_requests"),
    path("api/v1/stand-ins", StandInsView.as_view(), name="api_stand_ins"),
    path("api/v1/stand-ins/<int:pk>/end", EndStandInView.as_view(), name="api_stand_in_end"),
    path("api/v1/monitoring/events", MonitoringEventsView.as_view(), name="api_monitoring_events"),
    path("api/v1/monitoring/series", MonitoringSeriesView.as_view(), name="api_monitoring_series"),
    path("api/v1/policies/<slug:pack>/backtest", BacktestsView.as_view(), name="api_backtests"),
    path("api/v1/backtests/<int:pk>", BacktestView.as_view(), name="api_backtest"),
    path("api/v1/permits", PermitsView.as_view(), name="api_permits"),
    path("api/v1/permits/<uuid:pk>/attestation", AttestationView.as_view(), name="api_attestation"),
    path("api/v1/mlflow/<slug:server>/webhook", MLflowWebhookView.as_view(), name="api_mlflow_webhook"),
    path("api/v1/github/deployments", GitHubDeploymentsView.as_view(), name="api_github_deployments"),
    path("api/v1/gitlab/deployments", GitLabDeploymentsView.as_view(), name="api_gitlab_deployments"),
    path("api/v1/submissions/<snum:pk>/export", ExportView.as_view(), name="api_export"),
    path("api/v1/submissions/<snum:pk>/facts", FactsView.as_view(), name="api_facts"),
    path("api/v1/manifests", ManifestView.as_view(), name="api_manifests"),
    path("kubernetes/validate-pipeline", PipelineAdmissionView.as_view(), name="api_kubernetes_pipeline"),
    path("kubernetes/validate", KubernetesView.as_view(), name="api_kubernetes"),
    re_path(
        r"^kubernetes/validate/(?P<environment>[a-z0-9][a-z0-9._-]{0,39})$",
        KubernetesEnvironmentView.as_view(),
        name="api_kubernetes_environment",
    ),
]
