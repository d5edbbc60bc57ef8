"""New versions there become drafts: by webhook, or by asking. The row is the request; a task that runs twice opens one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError
from governance.domain.incoming import NewSource, NewSubmission
from governance.domain.vocabulary import OPEN_STATES, Kind
from governance.models import Submission
from governance.selectors.access import SYSTEM, caller_for
from governance.services.opening import open_submission
from governance.services.work import unit_of_work
from reviews.models import RegistryLink, RegistryVersion
from reviews.services.barring import bar_known_source
from reviews.services.mlflow import RegistryProblem, server

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
ASK_AGAIN = timedelta(seconds=50)
CLOCKS_DIFFER = timedelta(minutes=5)


def take_event(server_name: str, event: Mapping[str, Any]) -> int:
    """What a webhook says: a version created is noted for each live link of its model. Returns how many rows are new.

    Only the name and the number are believed: everything else is read from the registry.
    """
    data = event.get("data")
    if (event.get("entity"), event.get("action")) != ("model_version", "created") or not isinstance(data, Mapping):
        return 0
    model, version = data.get("name"), str(data.get("version") or "")
    if not isinstance(model, str) or not version.isascii() or not version.isdigit() or len(version) > 18:
        return 0
    return sum(_note(link, [version]) for link in _live().filter(server=server_name, model=model))


def poll(*, limit: int = 500) -> int:
    """Ask each linked model's registry for versions made since the link was. Returns how many rows are new."""
    due = (
        _live().filter(Q(asked_at__isnull=True) | Q(asked_at__lt=Now() - ASK_AGAIN)).order_by(F("asked_at").asc(nulls_first=True))
    )
    found = 0
    for link in due[:limit]:
        try:
            rows = server(link.server).versions(link.model)
        except RegistryProblem as problem:
            RegistryLink.objects.filter(pk=link.pk).update(asked_at=Now(), problem=str(problem)[:300])
            continue
        since = (link.created_at - CLOCKS_DIFFER).timestamp() * 1000
        fresh = [str(row["version"]) for row in rows if row.get("version") and _millis(row) >= since]
        found += _note(link, fresh)
        RegistryLink.objects.filter(pk=link.pk).update(asked_at=Now(), problem="")
    return found


def open_due(*, limit: int = 50) -> int:
    """Open a draft of each version noted and due. Returns how many were opened."""
    due = RegistryVersion.objects.filter(state=RegistryVersion.DUE, not_before__lte=Now(), link__ended_at__isnull=True)
    opened = 0
    for row in due.select_related("link__system__unit", "link__acts_for").order_by("id")[:limit]:
        try:
            opened += _open(row)
        except (RegistryProblem, DomainError) as problem:
            _later(row, str(problem), final=isinstance(problem, RegistryProblem) and problem.gone)
        except Exception as exc:
            log.exception("version %s of %s cannot be opened", row.version, row.link.model)
            _later(row, f"{type(exc).__name__}: {exc}", final=False)
    return opened


def _live() -> Any:
    return RegistryLink.objects.filter(ended_at__isnull=True)


def _millis(row: Mapping[str, Any]) -> float:
    try:
        return float(row.get("creation_timestamp") or 0)
    except (TypeError, ValueError):
        return 0.0


def _note(link: RegistryLink, versions: Iterable[str]) -> int:
    known = set(RegistryVersion.objects.filter(link=link).values_list("version", flat=True))
    new = [each for each in dict.fromkeys(versions) if each not in known]
    RegistryVersion.objects.bulk_create([RegistryVersion(link=link, version=each) for each in new], ignore_conflicts=True)
    return len(new)


def _open(row: RegistryVersion) -> int:
    link = row.link
    there = server(link.server)
    version = there.version(link.model, row.version)
    if version.get("status") not in (None, "READY"):
        raise RegistryProblem(f"The version is {version.get('status')} in MLflow, not READY.")
    run_id, source = str(version.get("run_id") or "")[:64], str(version.get("source") or "")[:500]
    sources = [_source("mlflow-model-version.json", {"model_version": version})]
    if run_id:
        sources.append(_source("mlflow-run.json", there.run(run_id)))
    if (mlmodel := there.mlmodel(link.model, row.version)) is not None:
        sources.append(NewSource("MLmodel", mlmodel))
    new = NewSubmission(
        system=link.system.slug,
        kind=Kind(link.system.kind),
        version=row.version,
        environment=link.environment,
        sources=tuple(sources),
    )
    caller = caller_for(link.acts_for, origin="mlflow")
    try:
        with unit_of_work(caller) as work:
            # two tasks at once: the second finds the row taken and goes on
            if not _locked(row):
                return 0
            submission, created = open_submission(work, unit_id=link.unit_id, new=new, origin="mlflow")
            _opened(row, submission, source, run_id)
            work.note("registry.version_opened", submission, {**_said(row, source, run_id), "new": created})
            bar_known_source(work, submission, server=link.server, source=source)
    except Conflict as conflict:
        # somebody handed this version in already: that submission is the one to follow
        known = _known_open(link, row.version)
        if known is None or conflict.code != "already_open":
            raise
        with unit_of_work(SYSTEM) as work:
            if not _locked(row):
                return 0
            _opened(row, known, source, run_id)
            work.note("registry.version_opened", known, {**_said(row, source, run_id), "new": False})
            bar_known_source(work, known, server=link.server, source=source)
    return 1


def _locked(row: RegistryVersion) -> bool:
    rows = RegistryVersion.objects.select_for_update(skip_locked=True, of=("self",))
    return rows.filter(pk=row.pk, state=RegistryVersion.DUE).exists()


def _opened(row: RegistryVersion, submission: Submission, source: str, run_id: str) -> None:
    RegistryVersion.objects.filter(pk=row.pk).update(
        state=RegistryVersion.OPENED, submission=submission, source=source, run_id=run_id, problem=""
    )


def _known_open(link: RegistryLink, version: str) -> Submission | None:
    rows = Submission.objects.select_related("system", "version", "unit", "submitter")
    return rows.filter(system=link.system, version__version=version, environment=link.environment, state__in=OPEN_STATES).first()


def _said(row: RegistryVersion, source: str, run_id: str) -> dict[str, str]:
    return {"server": row.link.server, "model": row.link.model, "version": row.version, "source": source, "run": run_id}


def _later(row: RegistryVersion, problem: str, *, final: bool) -> None:
    attempts = row.attempts + 1
    RegistryVersion.objects.filter(pk=row.pk, state=RegistryVersion.DUE).update(
        attempts=attempts,
        problem=problem[:300],
        state=RegistryVersion.FAILED if final or attempts >= MOST_ATTEMPTS else RegistryVersion.DUE,
        not_before=timezone.now() + timedelta(seconds=min(15 * 2**attempts, 3600)),
    )


def _source(name: str, document: Mapping[str, Any]) -> NewSource:
    return NewSource(name, json.dumps(document, indent=1, sort_keys=True).encode())
