"""The component page, which is otherwise routed only where DEBUG is on, and every page that components link to."""

from __future__ import annotations

from django.urls import path

from governance.config.urls import urlpatterns as product
from governance.ui.gallery import gallery

urlpatterns = [path("_gallery/", gallery, name="gallery"), *product]
handler404 = "governance.ui.errors.not_found"
handler500 = "governance.ui.errors.server_error"
