"""What people decided, and what follows from it."""

from reviews.models.dossiers import Dossier
from reviews.models.findings import Finding
from reviews.models.permits import Permit
from reviews.models.steps import ChangeItem, Condition, ReviewStep, SignOff

__all__ = ["ChangeItem", "Condition", "Dossier", "Finding", "Permit", "ReviewStep", "SignOff"]
