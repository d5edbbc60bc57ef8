"""URLs of the governance API, the OpenAPI document and the health probes."""

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView

import governance.api.openapi  # noqa: F401 (importing it registers how signing in reads in the document)
from governance.api.evidence import EvidenceFileView, EvidenceView
from governance.api.health import healthz, readyz
from governance.api.keys import keys
from governance.api.oidc import IdentityTokenView
from governance.api.policies import PolicyView
from governance.api.registers import RegisterEntryView, RegisterView

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/schema/", SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[]), name="schema"),
    path("api/v1/evidence", EvidenceView.as_view(), name="api_evidence"),
    path("api/v1/evidence/<slug:sha256>", EvidenceFileView.as_view(), name="api_evidence_file"),
    path("api/v1/oidc/token", IdentityTokenView.as_view(), name="api_oidc_token"),
    path("api/v1/registers/<slug:register>", RegisterView.as_view(), name="api_register"),
    path("api/v1/registers/<slug:register>/<path:name>", RegisterEntryView.as_view(), name="api_register_entry"),
    path("api/v1/policies/<slug:pack>", PolicyView.as_view(), name="api_policy"),
    path(".well-known/guiderail/keys.json", keys, name="permit_keys"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
