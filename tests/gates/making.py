"""Small real rows for the gates' tests: a submission in checks, its revision, its runs."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from gates.models import GateRun
from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, Role, RunStatus, State
from governance.models import Person, Revision, RoleGrant, Submission, System, SystemVersion, Unit
from governance.selectors.access import Caller, caller_for
from governance.selectors.evidence import evidence_path

_numbers = itertools.count(1)


def person(unit: Unit, *roles: Role) -> Person:
    """Somebody of a unit with these roles."""
    somebody = Person.objects.create(username=f"person-{next(_numbers)}", unit=unit)
    for role in roles:
        RoleGrant.objects.create(person=somebody, role=role, unit=unit, reason="tests")
    return somebody


def caller(unit: Unit, *roles: Role) -> Caller:
    return caller_for(person(unit, *roles))


def unit(slug: str = "lending") -> Unit:
    return Unit.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def submission(
    *,
    of: Unit | None = None,
    facts: Mapping[str, Any] | None = None,
    evidence: Sequence[Mapping[str, Any]] = (),
    state: State = State.IN_CHECKS,
) -> Submission:
    """A submission in checks with its first revision frozen."""
    where = of or unit()
    number = next(_numbers)
    system = System.objects.create(unit=where, slug=f"system-{number}", name=f"System {number}", kind="ml_model")
    version = SystemVersion.objects.create(system=system, version="1.0.0")
    submitter = person(where, Role.SUBMITTER)
    row = Submission.objects.create(
        unit=where,
        system=system,
        version=version,
        kind="ml_model",
        environment="production",
        submitter=submitter,
        state=state,
        revision=1,
    )
    revise(row, 1, facts=facts, evidence=evidence)
    return row


def revise(
    row: Submission, number: int, *, facts: Mapping[str, Any] | None = None, evidence: Sequence[Mapping[str, Any]] = ()
) -> Revision:
    """Freeze a revision."""
    row.revision = number
    row.save(update_fields=["revision"])
    said = [Fact(name, value, Assurance.FILE, "MLmodel").to_json() for name, value in (facts or {}).items()]
    return Revision.objects.create(
        submission=row, number=number, facts=said, answers=[], evidence=list(evidence), sources=[], submitted_by=row.submitter
    )


def evidence(
    role: str, content: bytes = b"id,label\n1,0\n", *, name: str = "", columns: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A stored file as a revision remembers it."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = evidence_path(sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert Path(settings.EVIDENCE_DIR) in path.parents
    return {
        "role": role,
        "sha256": sha256,
        "name": name or f"{role}.csv",
        "size": len(content),
        "columns": dict(columns or {}),
        "format": "",
    }


def run(
    of: Submission, collector: str, *, heavy: bool = False, numbers: Mapping[str, Any] | None = None, **values: Any
) -> GateRun:
    """A queued run of a collector, with settings in `numbers`."""
    inputs = {"evidence": {}, "facts": {}, "settings": dict(numbers or {}), "seed": 1}
    plain: dict[str, Any] = {
        "revision": of.revision,
        "heavy": heavy,
        "inputs": inputs,
        "input_digest": f"sha256:{collector}",
        "dispatched_at": Now(),
    }
    row = GateRun.objects.create(submission=of, collector=collector, **{**plain, **values})
    row.refresh_from_db()
    return row


def unfinished() -> int:
    return GateRun.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).count()
