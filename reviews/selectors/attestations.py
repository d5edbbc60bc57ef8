"""What a permit says as an in-toto statement, for those who check it without asking us."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from governance.domain.errors import Conflict, NotFound
from governance.domain.vocabulary import Track
from governance.selectors.access import Caller, visible
from reviews.models import Permit
from reviews.selectors.decision_view import url_of
from reviews.selectors.permits import permit_answer

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"


def permit_statement(caller: Caller, permit_id: str) -> dict[str, Any]:
    """The statement about a valid permit: a verification summary (SLSA VSA v1) with our fields beside.

    Raises `NotFound` for what the caller may not see, `Conflict` when it is expired, revoked, or has no artefact's digest: what
    is signed stays in the world, so nothing is signed that does not hold now.
    """
    permit = visible(Permit.objects.select_related("submission", "version__system"), caller).filter(pk=permit_id).first()
    if permit is None:
        raise NotFound("There is no such permit, or none this caller may see.")
    system, version = permit.version.system.slug, permit.version.version
    answer = permit_answer(caller, environment=permit.environment, system=system, version=version, exposure=permit.exposure)
    if not answer.allowed or permit.revoked_at is not None or permit.expires_at <= timezone.now():
        raise Conflict(f"Nothing is attested for a permit that does not hold. {answer.reasons[0]}", code="permit_not_valid")
    digest = permit.artifact_digest.removeprefix("sha256:")
    if not digest:
        raise Conflict(
            "No artefact's digest was submitted, so there is nothing to attest. Submit the model's file.", code="no_digest"
        )
    return {
        "_type": STATEMENT,
        "subject": [{"name": f"{system}@{version}", "digest": {"sha256": digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "verifier": {"id": settings.PUBLIC_URL},
            "timeVerified": _time(permit.issued_at),
            "resourceUri": f"guiderail:{permit.environment}/{system}@{version}",
            "policy": {
                "uri": f"{settings.PUBLIC_URL}/policy",
                "digest": {"sha256": permit.policy_digest.removeprefix("sha256:")},
            },
            "verificationResult": "PASSED",
            "verifiedLevels": [f"GUIDERAIL_{Track(permit.submission.track).value.upper()}"],
            "guiderail": {
                "permit": str(permit.pk),
                "submission": permit.submission.number,
                "url": url_of(permit.submission),
                "environment": permit.environment,
                "system": system,
                "version": version,
                "dossierDigest": permit.dossier_digest,
                "exposurePercent": permit.exposure,
                "expiresAt": _time(permit.expires_at),
            },
        },
    }


def _time(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
