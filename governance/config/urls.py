"""Every URL of the product, by package."""

from django.urls import include, path, register_converter

from governance.ui.converters import SubmissionNumber

register_converter(SubmissionNumber, "snum")

urlpatterns = [
    # programs ask most often, and every pattern before theirs is tried first
    path("", include("reviews.api.urls")),
    path("", include("governance.api.urls")),
    path("", include("gates.api.urls")),
    path("", include("governance.ui.urls")),
    path("", include("gates.ui.urls")),
    path("", include("reviews.ui.urls")),
    path("account/", include("allauth.account.urls")),
]

handler400 = "governance.ui.errors.bad_request"
handler403 = "governance.ui.errors.forbidden"
handler404 = "governance.ui.errors.not_found"
handler500 = "governance.ui.errors.server_error"
