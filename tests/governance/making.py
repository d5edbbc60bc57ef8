"""People, files and submissions for the tests of the record, made by the services themselves, under the shipped policy pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.test import Client

from governance.domain.incoming import NewAnswer, NewEvidence, NewSource, NewSubmission
from governance.domain.vocabulary import EvidenceRole, Kind, Role, Scope
from governance.models import EvidenceFile, Person, RoleGrant, Submission, Unit
from governance.selectors.access import SYSTEM, Caller, caller_for
from governance.services.drafts import answer, changing
from governance.services.evidence import store_evidence
from governance.services.opening import open_submission
from governance.services.packs import PACKS, load_pack_file
from governance.services.tokens import issue_token
from governance.services.work import unit_of_work

METADATA = Path(__file__).resolve().parent.parent / "data" / "metadata"
MLMODEL = METADATA / "mlflow-3.17.2.MLmodel.yaml"
RUN = METADATA / "mlflow-3.17.2.run.json"
CARD = METADATA / "hf-model-card.README.md"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def policy() -> None:
    """The shipped packs, in force."""
    for path in sorted(PACKS.glob("*.yaml")):
        load_pack_file(caller=SYSTEM, path=path)


def unit(slug: str = "lending") -> Unit:
    return Unit.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def person(name: str = "dana", *roles: Role, of: Unit | None = None, everywhere: bool = False, **values: Any) -> Person:
    """Somebody of a unit; a submitter unless roles are named."""
    of = of or unit()
    row, created = Person.objects.get_or_create(
        username=name, defaults={"unit": of, "first_name": name.title(), "email": f"{name}@example.org", **values}
    )
    if created:
        for role in roles or (Role.SUBMITTER,):
            RoleGrant.objects.create(person=row, role=role, unit=None if everywhere else of, reason="tests")
    return row


def caller(name: str = "dana", *roles: Role, of: Unit | None = None) -> Caller:
    return caller_for(person(name, *roles, of=of))


def browser(who: Person | None = None, **options: Any) -> Client:
    """A client signed in as that person; nobody's when None."""
    client = Client(**options)
    if who is not None:
        client.force_login(who, backend=BACKEND)
    return client


def token(who: Person, *scopes: Scope, of: Unit | None = None) -> str:
    chosen = scopes or (Scope.SUBMIT, Scope.EVIDENCE, Scope.READ, Scope.PERMIT)
    return issue_token(caller=SYSTEM, person=who, unit=of or unit(), name="tests", scopes=chosen)[1]


def bearer(secret: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def source(path: Path = MLMODEL) -> NewSource:
    return NewSource(path.name, path.read_bytes())


def stored(content: bytes = b"id,label,pred\n1,0,0\n", *, name: str = "rows.csv", by: Caller | None = None) -> EvidenceFile:
    by = by or caller()
    assert by.home_unit is not None
    return store_evidence(caller=by, unit_id=by.home_unit, name=name, media_type="text/csv", chunks=[content])[0]


def new(
    version: str = "1.0.0",
    *,
    system: str = "credit-default",
    environment: str = "production",
    sources: Iterable[NewSource] = (),
    answers: Mapping[str, Any] | None = None,
    evidence: Mapping[EvidenceRole, str] | None = None,
) -> NewSubmission:
    return NewSubmission(
        system=system,
        kind=Kind.ML_MODEL,
        version=version,
        environment=environment,
        sources=tuple(sources),
        answers={name: value if isinstance(value, NewAnswer) else NewAnswer(value) for name, value in (answers or {}).items()},
        evidence=tuple(NewEvidence(role, sha256) for role, sha256 in (evidence or {}).items()),
    )


def opened(given: NewSubmission | None = None, *, by: Caller | None = None, key: str = "") -> Submission:
    """A draft, made by the service."""
    by = by or caller()
    assert by.home_unit is not None
    with unit_of_work(by) as work:
        return open_submission(work, unit_id=by.home_unit, new=given or new(), idempotency_key=key)[0]


def say(row: Submission, answers: Mapping[str, Any], *, by: Caller | None = None) -> None:
    """Answer questions of a draft as its submitter would on a page."""
    with changing(by or caller(), row.pk) as (work, submission):
        answer(work, submission, {n: v if isinstance(v, NewAnswer) else NewAnswer(v) for n, v in answers.items()})


def evidence_of(role: EvidenceRole, file: EvidenceFile, **columns: Any) -> NewEvidence:
    return NewEvidence(role, file.sha256, columns)
