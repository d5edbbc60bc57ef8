"""What people decided, and what follows from it."""

from reviews.models.attested import Attested
from reviews.models.declared_values import DeclaredValue
from reviews.models.deployment_gates import DeploymentGate, DeploymentReport, DeploymentRequest
from reviews.models.deployments import Deployment
from reviews.models.dossiers import Dossier
from reviews.models.downstream import ChangeNote, DownstreamTeam
from reviews.models.evaluations import Evaluation
from reviews.models.exposure import ExposureRequest
from reviews.models.findings import Finding
from reviews.models.gate_previews import GatePreview
from reviews.models.handing_over import HandOver
from reviews.models.incidents import Incident, IncidentNote, IncidentStep, PostMortem
from reviews.models.interests import DeclaredConflict
from reviews.models.learning import LessonPass
from reviews.models.looking import RefusedReading, SectionSeen
from reviews.models.monitoring import MonitoringEvent, MonitoringReading
from reviews.models.notifications import Notification, NotificationChoice
from reviews.models.permits import Permit
from reviews.models.registries import BarredBuild, RegistryLink, RegistryVersion, RegistryWrite
from reviews.models.steps import ChangeItem, Condition, ReviewStep, SignOff
from reviews.models.threads import Remark, Thread
from reviews.models.waivers import Waiver, WaiverAudit, WaiverSignature
from reviews.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Attested",
    "BarredBuild",
    "ChangeItem",
    "ChangeNote",
    "Condition",
    "DeclaredConflict",
    "DeclaredValue",
    "Deployment",
    "DeploymentGate",
    "DeploymentReport",
    "DeploymentRequest",
    "Dossier",
    "DownstreamTeam",
    "Evaluation",
    "ExposureRequest",
    "Finding",
    "GatePreview",
    "HandOver",
    "Incident",
    "IncidentNote",
    "IncidentStep",
    "LessonPass",
    "MonitoringEvent",
    "MonitoringReading",
    "Notification",
    "NotificationChoice",
    "Permit",
    "PostMortem",
    "RefusedReading",
    "RegistryLink",
    "RegistryVersion",
    "RegistryWrite",
    "Remark",
    "ReviewStep",
    "SectionSeen",
    "SignOff",
    "Thread",
    "Waiver",
    "WaiverAudit",
    "WaiverSignature",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
