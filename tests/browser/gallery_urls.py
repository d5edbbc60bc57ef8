"""The component page, which is otherwise routed only where DEBUG is on, and the account pages its frame links to."""

from __future__ import annotations

from django.urls import include, path

from governance.ui.gallery import gallery

urlpatterns = [path("_gallery/", gallery, name="gallery"), path("account/", include("allauth.account.urls"))]
handler404 = "governance.ui.errors.not_found"
handler500 = "governance.ui.errors.server_error"
