"""`/.well-known/guiderail/keys.json`: the public keys that permits' attestations are signed with."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from governance.services.signing import published_keys


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """Public on purpose: who checks a permit offline needs nothing else from us."""
    return JsonResponse(
        published_keys(), headers={"Cache-Control": "public, max-age=300"}, content_type="application/jwk-set+json"
    )
