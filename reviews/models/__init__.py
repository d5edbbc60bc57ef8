"""What people decided, and what follows from it."""

from reviews.models.attested import Attested
from reviews.models.deployments import Deployment
from reviews.models.dossiers import Dossier
from reviews.models.evaluations import Evaluation
from reviews.models.findings import Finding
from reviews.models.gate_previews import GatePreview
from reviews.models.handing_over import HandOver
from reviews.models.interests import DeclaredConflict
from reviews.models.looking import RefusedReading, SectionSeen
from reviews.models.notifications import Notification, NotificationChoice
from reviews.models.permits import Permit
from reviews.models.steps import ChangeItem, Condition, ReviewStep, SignOff
from reviews.models.waivers import Waiver, WaiverAudit, WaiverSignature

__all__ = [
    "Attested",
    "ChangeItem",
    "Condition",
    "DeclaredConflict",
    "Deployment",
    "Dossier",
    "Evaluation",
    "Finding",
    "GatePreview",
    "HandOver",
    "Notification",
    "NotificationChoice",
    "Permit",
    "RefusedReading",
    "ReviewStep",
    "SectionSeen",
    "SignOff",
    "Waiver",
    "WaiverAudit",
    "WaiverSignature",
]
