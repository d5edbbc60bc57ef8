"""URLs of the reviews API."""

from django.urls import URLPattern, URLResolver, path

from reviews.api.decisions import DecisionsView
from reviews.api.permits import PermitsView
from reviews.api.submissions import (
    AnswersView,
    PreviewView,
    ReviseView,
    SubmissionsView,
    SubmissionView,
    SubmitView,
    WithdrawView,
)
from reviews.api.verdicts import VerdictView

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/submissions", SubmissionsView.as_view(), name="api_submissions"),
    path("api/v1/preview", PreviewView.as_view(), name="api_preview"),
    path("api/v1/submissions/<snum:pk>", SubmissionView.as_view(), name="api_submission"),
    path("api/v1/submissions/<snum:pk>/verdict", VerdictView.as_view(), name="api_verdict"),
    path("api/v1/submissions/<snum:pk>/answers", AnswersView.as_view(), name="api_answers"),
    path("api/v1/submissions/<snum:pk>/submit", SubmitView.as_view(), name="api_submit"),
    path("api/v1/submissions/<snum:pk>/revise", ReviseView.as_view(), name="api_revise"),
    path("api/v1/submissions/<snum:pk>/withdraw", WithdrawView.as_view(), name="api_withdraw"),
    path("api/v1/submissions/<snum:pk>/decisions", DecisionsView.as_view(), name="api_decisions"),
    path("api/v1/permits", PermitsView.as_view(), name="api_permits"),
]
